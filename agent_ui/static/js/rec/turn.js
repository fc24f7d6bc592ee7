// One line of a transcript: who, when, what, what people changed in it.
//
// In: a segment, what is marked in it. Out: a row that is brought up to date in place, or typed in.
// Not known here: the list around it, the player, the server.

import { h, setAttribute, setText } from "../dom.js";
import { timer } from "../format.js";
import { moment } from "../parts.js";
import { cutAtHits, lineState, shownText } from "./paper.js";

const LONGEST = 2000;

export function createTurn({ segment }, t) {
  const act = (name, key) =>
    h(
      "button",
      { type: "button", class: `rec-turn-${name}`, tabindex: "-1", title: t(`${key}.tip`), "data-act": name },
      t(key),
    );
  const time = timer(segment.start_s);
  const play = h("button", { type: "button", class: "line-time", tabindex: "-1", title: t("turn.play") }, time);
  play.setAttribute("aria-label", `${t("turn.play")} ${time}`);
  play.dataset.act = "play";
  return h(
    "li",
    { class: "line-row", "data-party": segment.party, "data-segment": segment.segment_id, tabindex: "-1" },
    h(
      "div",
      { class: "line-meta" },
      play,
      h("span", { class: "line-who" }, t(`party.${segment.party}`)),
      h("span", { class: "line-hearing" }),
      act("edit", "turn.edit"),
    ),
    h("p", { class: "line-text" }),
    h("p", { class: "rec-recognised", hidden: true }, h("span"), act("restore", "turn.restore")),
  );
}

/** @param {{segment: object, hits: Array<object>, isSpoken: boolean}} item */
export function updateTurn(row, { segment, hits, isSpoken }, t) {
  const [meta, text, recognised] = row.children;
  const state = lineState(segment);
  row.segment = segment;
  setAttribute(row, "data-unclear", String(state === "unclear"));
  setAttribute(row, "data-removed", state === "removed" ? "true" : null);
  setAttribute(row, "data-spoken", isSpoken ? "true" : null);
  setAttribute(row, "aria-current", isSpoken ? "true" : null);
  recognised.hidden = state !== "edited" && state !== "removed";
  if (segment.edit) {
    setText(recognised.firstChild, state === "edited" ? t("turn.recognised", { text: segment.edit.recognised }) : "");
  }
  if (row.dataset.editing) return; // what is being typed is the typist's
  setText(meta.querySelector(".line-hearing"), saidOf(segment, state, t));
  const parts = cutAtHits(shownText(segment), state === "removed" ? [] : segment.corrections, hits);
  const signature = JSON.stringify(parts);
  if (text.dataset.drawn === undefined || row.drawn !== signature) {
    text.replaceChildren(...parts.map((part) => drawPart(part, t)));
    text.dataset.drawn = "";
    row.drawn = signature;
  }
}

function saidOf({ edit }, state, t) {
  if (edit) return t(`turn.${state}`, { who: edit.author, when: moment(edit.at, t) });
  return state === "unclear" ? t("transcript.unclear") : "";
}

function drawPart({ text, heard, hit }, t) {
  const inner = hit === null ? text : h("mark", { "data-current": hit === "current" ? "true" : null }, text);
  if (heard === null) return inner;
  const said = t("turn.heard", { heard });
  return h("span", { class: "corrected", title: said, "data-heard": said }, inner);
}

/** Let a line be typed in where it stands. Enter hands the text to `save`, which throws where it is not kept.
 * @param {{save: (text: string) => Promise<void>, onAgain: () => void, onDone: () => void,
 *   reason: (error: Error) => string}} actions */
export function editTurn(row, t, { save, onAgain, onDone, reason }) {
  if (row.dataset.editing) return;
  const [meta, text] = row.children;
  const hearing = meta.querySelector(".line-hearing");
  const before = row.segment.text;
  const typed = () => text.textContent.replaceAll(/\s*\n\s*/g, " ").trim();
  row.dataset.editing = "true";
  text.replaceChildren(before);
  text.setAttribute("contenteditable", "plaintext-only");
  text.setAttribute("role", "textbox");
  text.setAttribute("aria-label", t("turn.label"));
  text.addEventListener("keydown", onKey);
  text.addEventListener("input", say);
  say();
  text.focus({ preventScroll: true });
  document.getSelection().selectAllChildren(text);
  document.getSelection().collapseToEnd();

  function say() {
    setText(hearing, t(typed() === "" ? "turn.removeHow" : "turn.editing"));
    setAttribute(hearing, "data-level", null);
  }

  function onKey(event) {
    if (event.isComposing || event.keyCode === 229) return; // the input method is not done with the word
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter") keep();
    else if (event.key === "F2") onAgain();
    else return;
    event.preventDefault();
  }

  async function keep() {
    const next = typed();
    if (next === before && !(next === "" && row.segment.edit)) return close();
    if (Array.from(next).length > LONGEST) return complain(t("turn.tooLong"));
    if (text.getAttribute("aria-busy")) return;
    text.setAttribute("aria-busy", "true");
    setText(hearing, t("turn.saving"));
    try {
      await save(next);
      close();
    } catch (error) {
      complain(reason(error));
    } finally {
      text.removeAttribute("aria-busy");
    }
  }

  function complain(words) {
    setText(hearing, words);
    setAttribute(hearing, "data-level", "bad");
  }

  function close() {
    text.removeEventListener("keydown", onKey);
    text.removeEventListener("input", say);
    for (const name of ["contenteditable", "role", "aria-label", "data-drawn"]) text.removeAttribute(name);
    setAttribute(hearing, "data-level", null);
    delete row.dataset.editing;
    onDone();
  }
}

/** The character of a line under the pointer, -1 where there is none.
 * @param {Element} text the line's text */
export function characterUnder(text, x, y) {
  const place = caretAt(x, y);
  if (place === null || !text.contains(place.node)) return -1;
  let before = 0;
  for (const node of textNodes(text)) {
    if (node === place.node) break;
    before += Array.from(node.data).length;
  }
  const { node, offset } = place;
  // A caret stands between two characters; whoever points at the right half of one means that one.
  const isAfter = offset > 0 && (offset === node.length || rightOf(node, offset - 1) > x);
  const units = isAfter ? offset - 1 : offset;
  return before + Array.from(node.data.slice(0, units)).length;
}

function caretAt(x, y) {
  if (document.caretPositionFromPoint) {
    const found = document.caretPositionFromPoint(x, y);
    return found?.offsetNode instanceof Text ? { node: found.offsetNode, offset: found.offset } : null;
  }
  const range = document.caretRangeFromPoint?.(x, y);
  return range?.startContainer instanceof Text ? { node: range.startContainer, offset: range.startOffset } : null;
}

function rightOf(node, offset) {
  const range = document.createRange();
  range.setStart(node, offset);
  range.setEnd(node, offset + 1);
  const boxes = range.getClientRects();
  return boxes.length > 0 ? boxes[boxes.length - 1].right : -1;
}

function* textNodes(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) yield walker.currentNode;
}

/** The stretch of the document that holds one character of a line; null where there is none. */
export function rangeOf(text, character) {
  let left = character;
  for (const node of textNodes(text)) {
    const characters = Array.from(node.data);
    if (left < characters.length) {
      const start = characters.slice(0, left).join("").length;
      const range = document.createRange();
      range.setStart(node, start);
      range.setEnd(node, start + characters[left].length);
      return range;
    }
    left -= characters.length;
  }
  return null;
}
