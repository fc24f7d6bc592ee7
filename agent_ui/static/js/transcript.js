// The middle column: what is being said.
//
// In: a call's state. Out: a column that follows the end unless the reader scrolled up.
// Not known here: where lines come from; work per update goes with what changed, not with the call's length.

import { copyText, h, keyedRows, setAttribute, setText } from "./dom.js";
import { kindOf, mountPlaceholder } from "./placeholder.js";
import { keyOf } from "./keys.js";
import { createLine, editLine, updateLine } from "./line.js";
import { quietLine } from "./notice.js";
import { pointAt } from "./pointing.js";
import { roveThrough } from "./roving.js";
import { lineAt } from "./seek.js";
import { mountUndo } from "./undo.js";

const NEAR_END_PX = 48;
/** Rows of a long call that are in the page; more come by scrolling up, and go when the reader is back. */
const ROWS = 400;
const ROWS_MORE = 200;
const COPIED_SHOWN_MS = 1500;
/** A line is heard with a little before and after it. */
const AROUND_S = 0.3;

/** @param {{onLatestCall: () => void, onCorrect: (segmentId, text) => boolean, onUndo: (segmentId, index) => boolean,
 *   onRestore: (segmentId) => boolean, onEarlier: () => Promise<string|null>, onTrim: () => void,
 *   onSought: () => void,
 *   onPlay: (stretch) => void}} actions */
export function mountTranscript(t, actions) {
  const list = h("ol", { class: "lines" });
  const placeholder = mountPlaceholder(t, actions);
  const rove = roveThrough(list, playRow);
  const undo = mountUndo(t, actions.onUndo);
  const earlier = h("button", { type: "button", class: "earlier-lines", hidden: true, onclick: () => showMore() });
  const scroller = h(
    "div",
    { class: "lines-scroll", role: "group", "aria-label": t("transcript.title") },
    earlier,
    list,
    placeholder.element,
  );
  const latest = h("button", { type: "button", class: "latest", title: `${t("transcript.latest")} (${keyOf("latest")})` });
  const quiet = h("p", { class: "quiet-line", role: "status" });
  const spoken = h("p", { class: "offscreen", "aria-live": "polite" });
  const element = h(
    "section",
    { class: "column column-transcript", "aria-label": t("transcript.title") },
    h("div", { class: "column-head" }, h("h2", {}, t("transcript.title")), actions.replay),
    h("div", { class: "lines-frame" }, scroller, latest, undo.element),
    quiet,
    spoken,
  );

  let shown = { call: null, lines: [] };
  let isFollowing = true;
  let unseen = 0;
  let startedMs = 0;
  let lastTop = 0;
  let rows = ROWS;
  let isFetching = false;
  let isSeeking = false;
  let pointed = [];

  let drawnEdits = {};
  const showLines = keyedRows(list, {
    key: (segment) => `${segment.call_id}/${segment.segment_id}`,
    create: (segment) => createLine(segment, t),
    update: (row, segment) =>
      updateLine(row, segment, { startedMs, edit: drawnEdits[segment.segment_id] }, t),
  });

  // Only a reader moving up stops the following; a line that grew, or a window that shrank, does not.
  scroller.addEventListener("scroll", () => {
    const isNearEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
    isFollowing = isNearEnd || (isFollowing && scroller.scrollTop >= lastTop);
    lastTop = scroller.scrollTop;
    if (isFollowing) unseen = 0;
    if (scroller.scrollTop < NEAR_END_PX && !earlier.hidden) showMore();
    undo.place();
    offerLatest();
  });
  list.addEventListener("click", onClick);
  list.addEventListener("dblclick", (event) => {
    const text = event.target.closest(".line-text");
    if (text !== null) edit(text.parentElement);
  });
  latest.addEventListener("click", toLatest);
  new ResizeObserver(() => isFollowing && toEnd()).observe(scroller);

  function update({ state, isOnline, serverMs, isWatching, streamError, seekS }) {
    const isOtherCall = state.call?.call_id !== shown.call?.call_id;
    if (isOtherCall) {
      startedMs = state.call ? Date.parse(state.call.started_at) : 0;
      isFollowing = true;
      unseen = 0;
      rows = ROWS;
      undo.close();
      pointed = [];
    }
    if (state.lines !== shown.lines) {
      const fresh = isOtherCall ? [] : newFinals(shown.lines, state.lines);
      if (!isFollowing || isEditing()) rows += fresh.length; // nothing goes from above who reads or types
      else rows = ROWS;
      drawnEdits = state.edits;
      draw(state);
      undo.place();
      if (fresh.length > 0)
        setText(spoken, fresh.map((line) => `${t(`party.${line.party}`)}：${line.text}`).join("\n"));
      if (!isFollowing) unseen += fresh.length;
      else if (!isSelectingIn(scroller)) toEnd();
      offerLatest();
    }
    shown = state;
    placeholder.update(kindOf(state, isWatching, streamError), streamError);
    const { level, text } = quietLine({ state, isOnline, serverMs, streamError }, t);
    setAttribute(quiet, "data-level", level);
    setText(quiet, text);
    if (seekS !== null && state.call !== null && !isSeeking) seek(seekS);
  }

  /** Go to the line that is said at a place of the call; what is not held of a long call is fetched first. */
  async function seek(seconds) {
    isSeeking = true;
    const { call_id: callId } = shown.call;
    const isAbove = () => shown.hasEarlier && shown.lines[0]?.start_s > seconds;
    while (isAbove() && !(await actions.onEarlier()));
    isSeeking = false;
    actions.onSought();
    const line = shown.call?.call_id === callId ? lineAt(shown.lines, seconds) : null;
    if (line === null) return;
    bringIntoView(line).focus({ preventScroll: true });
  }

  /** Scroll to a line that is held; the reader is there from now on. */
  function bringIntoView(line) {
    rows = Math.max(rows, shown.lines.length - shown.lines.indexOf(line) + ROWS_MORE / 2);
    isFollowing = false;
    draw(shown);
    const row = [...list.children].find(({ segment }) => segment.segment_id === line.segment_id);
    // Not `scrollIntoView`: it moves whatever is around as well.
    const { top, height } = row.getBoundingClientRect();
    const room = scroller.getBoundingClientRect();
    scroller.scrollTop += top + height / 2 - (room.top + room.height / 2);
    offerLatest();
    return row;
  }

  /** Mark words in the lines; with `isToScroll` the first of them comes into view, but the focus stays where it is.
   * @returns {boolean} false where that line is not at hand */
  function point(spans, isToScroll) {
    pointed = spans;
    const line = isToScroll ? shown.lines.find(({ segment_id: id }) => id === spans[0]?.segment_id) : null;
    if (line) bringIntoView(line);
    pointAt(list, pointed);
    return !isToScroll || line !== undefined;
  }

  /** Let the first line of these words be heard. */
  function hear(spans) {
    const meant = new Set(spans.map((span) => span.segment_id));
    const [line] = shown.lines.filter(({ segment_id: id }) => meant.has(id));
    if (line) play(line);
  }

  function draw(state) {
    showLines(state.lines.slice(-rows));
    rove.keepStop();
    if (pointed.length > 0) pointAt(list, pointed);
    earlier.hidden = state.lines.length <= rows && !state.hasEarlier;
    if (!isFetching) setText(earlier, t("transcript.earlier"));
  }

  /** More rows above, first those at hand, then those that only the server still has; what is read stays put. */
  async function showMore(canAsk = true) {
    if (isFetching) return;
    if (shown.lines.length > rows) {
      const wasPx = scroller.scrollHeight - scroller.scrollTop;
      rows += ROWS_MORE;
      isFollowing = false;
      draw(shown);
      scroller.scrollTop = scroller.scrollHeight - wasPx;
      return;
    }
    if (!shown.hasEarlier || !canAsk) return;
    isFetching = true;
    setText(earlier, t("article.loading"));
    isFollowing = false;
    const failed = await actions.onEarlier();
    isFetching = false;
    if (failed) setText(earlier, t("transcript.earlier.error", { code: failed }));
    else showMore(false);
  }

  function onClick(event) {
    const row = event.target.closest(".line-row");
    if (row === null || row.dataset.editing) return;
    const selection = document.getSelection();
    if (event.detail > 0 && !selection.isCollapsed) return; // somebody marks text
    const fix = event.target.closest(".corrected");
    const token = event.target.closest(".piece");
    if (event.target.closest(".line-time")) playRow(row);
    else if (event.target.closest(".line-restore")) actions.onRestore(row.segment.segment_id);
    else if (fix) undo.open(fix, row.segment, scroller.parentElement);
    else if (token) copyToken(token);
  }

  async function copyToken(token) {
    const isCopied = await copyText(token.dataset.value);
    token.dataset.said = isCopied ? t("line.copied") : t("card.copyFailed");
    setText(spoken, token.dataset.said);
    setTimeout(() => delete token.dataset.said, COPIED_SHOWN_MS);
  }

  function playRow(row) {
    play(row.segment);
  }

  function play({ start_s: startS, end_s: endS }) {
    actions.onPlay({ from_s: Math.max(0, startS - AROUND_S).toFixed(2), to_s: (endS + AROUND_S).toFixed(2) });
  }

  function edit(row) {
    undo.close();
    editLine(row, t, {
      save: (text) => actions.onCorrect(row.segment.segment_id, text),
      onDone: (done) => {
        updateLine(done, done.segment, { startedMs, edit: drawnEdits[done.segment.segment_id] }, t);
        done.focus({ preventScroll: true });
      },
    });
  }

  function isEditing() {
    return list.querySelector("[data-editing]") !== null;
  }

  /** Do what a key asks for; false where it means nothing here. */
  function act(name) {
    const row = rove.current();
    if (name === "back") return undo.close();
    if (row === null || !row.segment?.is_final) return false;
    if (name === "edit") edit(row);
    else if (undo.isOpen()) undo.confirm();
    else if (document.activeElement.matches?.(".corrected"))
      undo.open(document.activeElement, row.segment, scroller.parentElement);
    else if (!row.querySelector(".line-restore").hidden) actions.onRestore(row.segment.segment_id);
    else return false;
    return true;
  }

  function offerLatest() {
    latest.hidden = isFollowing;
    setText(latest, unseen > 0 ? t("transcript.latest.new", { count: unseen }) : t("transcript.latest"));
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
  }

  function toLatest() {
    isFollowing = true;
    unseen = 0;
    rows = ROWS;
    actions.onTrim();
    draw(shown);
    toEnd();
    offerLatest();
  }

  offerLatest();
  return { element, update, toLatest, act, point, hear };
}

/** Finals at the end of `after` that `before` did not have as finals. */
function newFinals(before, after) {
  const known = new Set(
    before
      .slice(-50)
      .filter((line) => line.is_final)
      .map((line) => line.segment_id),
  );
  return after.slice(-20).filter((line) => line.is_final && !known.has(line.segment_id));
}

function isSelectingIn(scroller) {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && scroller.contains(selection.anchorNode);
}
