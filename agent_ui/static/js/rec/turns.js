// The lines of a transcript beside the sound: the spoken one is marked and kept in sight, a click hears from there.
//
// In: a `paper` state, moments of the player. Out: rows; calls of `onHear`, `onSave`, `onRestore`.
// Not known here: the server, the audio element.

import { h, keyedRows } from "../dom.js";
import { button, emptiness, skeleton, sorry } from "../parts.js";
import { hitsByLine, spokenAt } from "./paper.js";
import { characterAt, stepFrom, timesOf } from "./timing.js";
import { characterUnder, createTurn, editTurn, rangeOf, updateTurn } from "./turn.js";

const MARK = "rec-said";
/** A line that comes below this share of the window is brought up to the other one. */
const LOW = 0.72;
const HIGH = 0.24;
const NO_HITS = [];

/** @param {{onHear: (fromS: number, toS?: number) => void, onSave: (segmentId, text) => Promise<void>,
 *   onRestore: (segmentId) => void, onEdit: () => void, reason: (error) => string, onAgain: () => void}} actions
 *   without `onSave` the lines are only to be read and heard */
export function mountTurns(t, actions) {
  const list = h("ol", { class: "lines", "aria-label": t("paper.title") });
  const said = h("div", { class: "rec-paper-said" });
  const scroller = h(
    "div",
    { class: "lines-scroll", role: "group", "aria-label": t("paper.title"), tabindex: "-1" },
    list,
    said,
  );
  const follow = button(t("paper.follow"), () => bring(spoken.last), { class: "latest", hidden: true });
  const isFixed = actions.onSave === undefined;
  const element = h("div", { class: "lines-frame", "data-fixed": isFixed ? "true" : null }, scroller, follow);
  let state = null;
  let items = new Map();
  let places = new Map();
  let spoken = { now: [], last: null };
  let chosen = null;
  let isPlaying = false;
  const times = new WeakMap();

  const draw = keyedRows(list, {
    key: ({ segment }) => segment.segment_id,
    create: (item) => createTurn(item, t),
    update: (row, item) => updateTurn(row, item, t),
  });

  list.addEventListener("click", onClick);
  list.addEventListener("dblclick", (event) => {
    const text = event.target.closest(".line-text");
    if (text !== null && !isFixed) edit(text.parentElement);
  });
  list.addEventListener("focusin", (event) => settle(event.target.closest(".line-row")));
  list.addEventListener("keydown", (event) => {
    const row = event.target;
    if (event.key !== "Enter" || !row.matches(".line-row") || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    actions.onHear(row.segment.start_s);
  });
  scroller.addEventListener("scroll", offerFollow, { passive: true });

  const rowOf = (id) => list.children[places.get(id)] ?? null;

  function timesFor(segment) {
    if (!times.has(segment)) times.set(segment, segment.text === "" ? null : timesOf(segment));
    return times.get(segment);
  }

  function onClick(event) {
    const row = event.target.closest(".line-row");
    if (row === null || row.dataset.editing) return;
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "edit") return edit(row);
    if (act === "restore") return actions.onRestore(row.segment.segment_id);
    if (act === "play") return actions.onHear(row.segment.start_s);
    if (event.detail > 1 || !document.getSelection().isCollapsed) return; // somebody marks text, or edits
    const text = event.target.closest(".line-text");
    if (text === null) return;
    row.focus({ preventScroll: true });
    actions.onHear(momentUnder(row, text, event));
  }

  function momentUnder({ segment }, text, { clientX, clientY }) {
    const at = timesFor(segment);
    const character = at === null ? -1 : characterUnder(text, clientX, clientY);
    return character >= 0 && character < at.start.length ? at.start[character] : segment.start_s;
  }

  function settle(row) {
    if (row === null || row === chosen) return;
    if (chosen !== null) chosen.tabIndex = -1;
    chosen = row;
    row.tabIndex = 0;
  }

  function edit(row) {
    actions.onEdit();
    editTurn(row, t, {
      save: (text) => actions.onSave(row.segment.segment_id, text),
      reason: actions.reason,
      onAgain: () => actions.onHear(row.segment.start_s, row.segment.end_s),
      onDone: () => {
        updateTurn(row, items.get(row.dataset.segment), t);
        const { activeElement } = document; // somebody may have gone on while it was saved
        if (activeElement === document.body || row.contains(activeElement)) row.focus({ preventScroll: true });
      },
    });
  }

  /** Show a state of `paper.js`. @param {() => void} onRetry */
  function update(next, onRetry) {
    const before = state;
    state = next;
    if (next.paper === null) {
      draw([]);
      items = places = new Map();
      said.replaceChildren(next.error ? sorry(next.error, t, onRetry) : skeleton(8));
      return;
    }
    if (before?.paper !== next.paper) {
      const isBlank = next.paper.segments.length === 0;
      said.replaceChildren(...(isBlank ? [emptiness(t("paper.blank"), t("paper.blank.how"))] : []));
    }
    redraw();
    const stop = chosen?.isConnected ? chosen : list.firstElementChild;
    if (stop) settle(stop);
  }

  function redraw() {
    const hits = hitsByLine(state);
    const next = state.paper.segments.map((segment) => {
      const id = segment.segment_id;
      const item = { segment, hits: hits.get(id) ?? NO_HITS, isSpoken: spoken.now.includes(id) };
      const known = items.get(id);
      const isSame =
        known?.segment === segment &&
        known.isSpoken === item.isSpoken &&
        (known.hits === item.hits || JSON.stringify(known.hits) === JSON.stringify(item.hits));
      return isSame ? known : item;
    });
    items = new Map(next.map((item) => [item.segment.segment_id, item]));
    places = new Map(next.map((item, place) => [item.segment.segment_id, place]));
    draw(next);
  }

  /** Mark what is being said. The reader is led on only from a line that was in sight, or who asked for it. */
  function follows(seconds, { isPlaying: plays, isAsked }) {
    if (!state?.paper) return;
    isPlaying = plays;
    const next = spokenAt(state.paper.segments, seconds);
    const isOther = next.last !== spoken.last;
    const wasInSight = spoken.last === null || isInSight(rowOf(spoken.last));
    if (isOther || next.now.join() !== spoken.now.join()) {
      spoken = next;
      redraw();
    }
    markCharacter(seconds);
    const isBusy = list.querySelector("[data-editing]") !== null || !document.getSelection().isCollapsed;
    if ((isAsked || (isOther && wasInSight)) && !isBusy) keepInSight(rowOf(spoken.last));
    offerFollow();
  }

  function markCharacter(seconds) {
    if (!globalThis.CSS?.highlights) return;
    const id = spoken.now.at(-1) ?? null;
    const row = rowOf(id);
    const at = row && !row.dataset.editing ? timesFor(row.segment) : null;
    const character = at ? characterAt(at, seconds) : -1;
    const range = character >= 0 ? rangeOf(row.children[1], character) : null;
    if (range === null) CSS.highlights.delete(MARK);
    else CSS.highlights.set(MARK, new Highlight(range));
  }

  function isInSight(row) {
    if (row === null) return true;
    const box = row.getBoundingClientRect();
    const frame = scroller.getBoundingClientRect();
    return box.bottom > frame.top && box.top < frame.bottom;
  }

  function keepInSight(row) {
    if (row === null) return;
    const box = row.getBoundingClientRect();
    const frame = scroller.getBoundingClientRect();
    const isAbove = box.top < frame.top;
    const isLow = box.bottom > frame.top + frame.height * LOW;
    if (isAbove || isLow) scroller.scrollTop += box.top - frame.top - frame.height * HIGH;
  }

  function bring(id) {
    const row = rowOf(id);
    if (row === null) return;
    keepInSight(row);
    row.focus({ preventScroll: true });
    offerFollow();
  }

  function offerFollow() {
    follow.hidden = !isPlaying || spoken.now.length === 0 || isInSight(rowOf(spoken.last));
  }

  /** One line up or down. */
  function move(by) {
    const row = list.contains(document.activeElement) && chosen ? chosen : null;
    const next = row === null ? chosen : by > 0 ? row.nextElementSibling : row.previousElementSibling;
    if (!next) return row !== null;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** The moment of the next character, or of the one before; lines where words have no times. */
  function step(seconds, by) {
    const { segments } = state?.paper ?? { segments: [] };
    const begins = segments.flatMap((segment) => {
      const at = timesFor(segment);
      return at ? [...at.start] : [segment.start_s];
    });
    return stepFrom({ start: Float64Array.from(begins).sort() }, seconds, by);
  }

  function showHit() {
    const row = rowOf(state.hits[state.at]?.id ?? null);
    keepInSight(row);
    if (row !== null) settle(row);
  }

  /** What keys do with the line that was chosen. */
  function act(name) {
    if (chosen === null || !chosen.isConnected) return false;
    if (isFixed && name !== "again") return false;
    if (name === "edit") return (edit(chosen), true);
    if (name === "restore" && chosen.segment.edit) return (actions.onRestore(chosen.segment.segment_id), true);
    if (name === "again") return (actions.onHear(chosen.segment.start_s, chosen.segment.end_s), true);
    return false;
  }

  function clear() {
    spoken = { now: [], last: null };
    chosen = null;
    globalThis.CSS?.highlights?.delete(MARK);
    scroller.scrollTop = 0;
    follow.hidden = true;
  }

  return {
    element,
    update,
    follows,
    move,
    step,
    showHit,
    act,
    clear,
    isEditing: () => list.querySelector("[data-editing]") !== null,
    focus: () => (chosen ?? scroller).focus({ preventScroll: true }),
  };
}
