// One file: its transcript and its sound side by side, to be searched, put right and downloaded.
//
// In: a job and the number of a file. Out: a view; lines that people wrote, on the server.
// Not known here: the list of jobs.

import { h, searchField, setText } from "../dom.js";
import { button, reasonOf } from "../parts.js";
import { mountFormats } from "./formats.js";
import { addressOf } from "./jobs.js";
import { noPaper, reducePaper } from "./paper.js";
import { mountPlayer } from "./player.js";
import { fetchPaper, readJob, readPaper, soundAddress, whyNoSound, writeLine } from "./server.js";
import { mountTurns } from "./turns.js";

const MOST_FILES = 1000;

/** @param {{news, refused: (error) => void, onBack: () => void}} page */
export function mountReading(t, page) {
  const { news } = page;
  let state = noPaper();
  let place = null;
  let numbers = { jobId: null, all: [] };
  let asking = new AbortController();
  const player = mountPlayer(t, { onTime: (seconds, now) => turns.follows(seconds, now) });
  const turns = mountTurns(t, {
    onHear: player.hear,
    onSave: save,
    onRestore: restore,
    onEdit: player.pause,
    reason: (error) => reasonOf(error, t),
  });
  const name = h("h2");
  const where = h("span", { class: "sys-hint" });
  const previous = button("‹", () => go(-1), { "aria-label": t("paper.previous"), title: `${t("paper.previous")} ([)` });
  const next = button("›", () => go(1), { "aria-label": t("paper.next"), title: `${t("paper.next")} (])` });
  const search = searchField({ "aria-label": t("paper.find"), placeholder: t("paper.find"), title: `${t("paper.find")} (/)` });
  const hits = h("span", { class: "rec-hits", role: "status" });
  const formats = mountFormats(t, {
    label: t("format.one"),
    news,
    fetch: (format) => fetchPaper(place.jobId, place.number, format),
    nameOf: (format) => `${state.paper?.file.split("/").at(-1) ?? place.number}.${format}`,
  });
  const notes = h("p", { class: "rec-notes" });
  const element = h(
    "section",
    { class: "rec-reading", "aria-label": t("paper.title") },
    h(
      "div",
      { class: "sys-head rec-reading-head" },
      button(`← ${t("paper.back")}`, page.onBack, { title: "Esc" }),
      name,
      previous,
      where,
      next,
      h("span", { class: "rec-search", role: "search" }, search, hits),
      formats.element,
    ),
    notes,
    turns.element,
    player.element,
  );

  search.addEventListener("input", (event) => {
    if (!event.isComposing) find(search.value);
  });
  search.addEventListener("compositionend", () => find(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    happen({ type: "went", by: event.shiftKey ? -1 : 1 });
    turns.showHit();
  });

  function happen(event) {
    state = reducePaper(state, event);
    draw();
  }

  function find(query) {
    happen({ type: "typed", query });
    turns.showHit();
  }

  function draw() {
    turns.update(state, read);
    const { paper } = state;
    formats.allow(paper !== null);
    setText(hits, hitsText());
    const told = paper ? paper.notes.map(({ message }) => message) : [];
    const hasWords = !paper || paper.segments.length === 0 || paper.segments.some(({ words }) => words.length > 0);
    if (!hasWords) told.push(t("paper.noWords"));
    setText(notes, told.join(" "));
    notes.hidden = told.length === 0;
    if (paper) setText(name, paper.file);
    name.title = name.textContent;
  }

  function hitsText() {
    if (state.query.trim() === "") return "";
    if (state.hits.length === 0) return t("paper.noHits");
    return t("paper.hits", { at: state.at + 1, count: state.hits.length });
  }

  async function read() {
    const { jobId, number } = place;
    const { signal } = (asking = new AbortController());
    try {
      const paper = await readPaper(jobId, number, signal);
      player.load({
        address: (form) => soundAddress(jobId, number, form),
        why: () => whyNoSound(jobId, number),
        seconds: paper.seconds,
      });
      happen({ type: "came", paper });
      if (document.activeElement === document.body || element.contains(document.activeElement)) turns.focus();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      happen({ type: "failed", error });
    }
  }

  /** The files that have a transcript, to go from one to the next. */
  async function learnNumbers() {
    const { jobId, number } = place;
    if (numbers.jobId !== jobId || !numbers.all.includes(number)) {
      const all = [];
      try {
        for (let offset = 0; ; offset += MOST_FILES) {
          const { files } = await readJob(jobId, { state: "done", offset, limit: MOST_FILES });
          all.push(...files.map((file) => file.number));
          if (files.length < MOST_FILES) break;
        }
      } catch (error) {
        reasonOf(error, t); // the way on is missing, the transcript is not
        return;
      }
      numbers = { jobId, all };
    }
    if (place?.jobId !== jobId || place.number !== number) return;
    const at = numbers.all.indexOf(number);
    setText(where, at < 0 ? "" : t("paper.place", { number: at + 1, total: numbers.all.length }));
    previous.disabled = at <= 0;
    next.disabled = at < 0 || at >= numbers.all.length - 1;
  }

  function go(by) {
    const at = numbers.all.indexOf(place.number);
    const wanted = numbers.all[at + by];
    if (at < 0 || wanted === undefined) return false;
    location.hash = addressOf(place.jobId, wanted);
    return true;
  }

  async function save(segmentId, text) {
    const at = place;
    const before = state.paper.segments.find((one) => one.segment_id === segmentId);
    await write(at, segmentId, text);
    // What stood there before comes back, a person's earlier line as well.
    news.tell(t("turn.saved"), { undo: () => put(at, segmentId, before.edit ? before.text : null) });
  }

  async function restore(segmentId) {
    const at = place;
    const { text } = state.paper.segments.find((one) => one.segment_id === segmentId);
    const isBack = await put(at, segmentId, null);
    if (isBack) news.tell(t("turn.restored"), { undo: () => put(at, segmentId, text) });
    turns.focus();
  }

  /** Write a line of a file, which need not be the one that is open any more. */
  async function write(at, segmentId, text) {
    const paper = await writeLine(at.jobId, at.number, segmentId, text);
    if (at.jobId === place?.jobId && at.number === place.number) happen({ type: "came", paper });
  }

  async function put(at, segmentId, text) {
    try {
      await write(at, segmentId, text);
    } catch (error) {
      news.tell(reasonOf(error, t), { level: "bad" });
      return false;
    }
    return true;
  }

  function open(jobId, number) {
    asking.abort();
    place = { jobId, number };
    state = noPaper();
    search.value = "";
    for (const one of [name, where]) setText(one, "");
    previous.disabled = next.disabled = true;
    turns.clear();
    draw();
    read();
    learnNumbers();
  }

  function close() {
    asking.abort();
    player.close();
    turns.clear();
    place = null;
  }

  function act(action, event) {
    const isByKeys = event.target.matches?.("button:focus-visible, select:focus-visible");
    switch (action) {
      case "play":
        return !isByKeys && (player.toggle(), true);
      case "left":
      case "right": {
        const by = action === "left" ? -1 : 1;
        if (!event.shiftKey) return (player.skip(5 * by), true);
        const to = turns.step(player.atS(), by);
        if (to !== null) player.seek(to);
        return true;
      }
      case "slower":
        return (player.faster(-1), true);
      case "faster":
        return (player.faster(1), true);
      case "up":
      case "down":
        return turns.move(action === "up" ? -1 : 1);
      case "find":
        return (search.focus(), search.select(), true);
      case "previous":
      case "next":
        return go(action === "previous" ? -1 : 1);
      case "save":
        return formats.save();
      case "back":
        return back();
      default:
        return turns.act(action);
    }
  }

  function back() {
    if (document.activeElement === search || search.value !== "") {
      search.value = "";
      find("");
      turns.focus();
    } else page.onBack();
    return true;
  }

  return { element, open, close, act, isEditing: turns.isEditing };
}
