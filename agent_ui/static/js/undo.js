// What was really heard in place of a corrected word, and the way back to it.
//
// In: a corrected word and its line. Out: a small box beside the word, and a call of `onUndo`.
// Not known here: sockets. The box lies over the page; nothing below it moves.

import { h, setText } from "./dom.js";
import { keyOf } from "./keys.js";

const GAP_PX = 4;

/** @param {(segmentId: string, index: number) => boolean} onUndo */
export function mountUndo(t, onUndo) {
  const heard = h("span");
  const button = h("button", { type: "button", title: `${t("line.undo")} (${keyOf("undo")})`, onclick: confirm }, t("line.undo"));
  const element = h("div", { class: "undo", role: "dialog", hidden: true, "aria-label": t("line.undo") }, heard, button);
  let word = null;
  let segmentId = null;
  let column = null;

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });

  function open(target, segment, frame) {
    word = target;
    segmentId = segment.segment_id;
    column = frame;
    setText(heard, target.title);
    element.hidden = false;
    place();
    button.focus({ preventScroll: true });
  }

  /** Stay beside the word while the page scrolls under it. */
  function place() {
    if (element.hidden) return;
    if (!word.isConnected) {
      close();
      return;
    }
    const target = word;
    const frame = column;
    const at = target.getBoundingClientRect();
    const room = frame.getBoundingClientRect();
    const leftPx = Math.min(at.left - room.left, room.width - element.offsetWidth - 8);
    const isBelow = at.bottom + element.offsetHeight + GAP_PX < room.bottom;
    const topPx = isBelow ? at.bottom + GAP_PX : at.top - element.offsetHeight - GAP_PX;
    element.style.left = `${Math.max(8, leftPx)}px`;
    element.style.top = `${topPx - room.top}px`;
  }

  function confirm() {
    const row = word?.closest(".line-row");
    if (word !== null) onUndo(segmentId, Number(word.dataset.index));
    close();
    row?.focus({ preventScroll: true });
  }

  /** @returns {boolean} whether there was anything to close */
  function close() {
    if (element.hidden) return false;
    const hadFocus = element.contains(document.activeElement);
    element.hidden = true;
    if (hadFocus && word?.isConnected) word.focus({ preventScroll: true });
    word = null;
    return true;
  }

  return { element, open, place, close, confirm, isOpen: () => !element.hidden };
}
