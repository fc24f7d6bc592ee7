// Keys of the page of work orders.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

import { DEEDS } from "./deeds.js";

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["1", "…", "9"], "ordBox"],
  [["J", "K", "↑", "↓"], "ordMove"],
  [["Enter"], "ordOpen"],
  [["/"], "ordSearch"],
  [["A", "D", "T"], "ordForward"],
  [["W"], "ordAnswer"],
  [["B", "G"], "ordBack"],
  [["F", "C"], "ordFollow"],
  [["S", "M"], "ordHold"],
  [["E", "N"], "ordEdit"],
  [["I", "U"], "ordSay"],
  [["P", "X"], "ordPrint"],
  [["[", "]"], "ordPage"],
  [["R"], "ordAgain"],
  [["Ctrl+Enter"], "ordSend"],
  [["Esc"], "back"],
  [["?"], "help"],
];

const ACTION_OF_KEY = {
  j: "down",
  arrowdown: "down",
  k: "up",
  arrowup: "up",
  "[": "pageBack",
  "]": "pageOn",
  "/": "search",
  "、": "search",
  e: "edit",
  n: "new",
  i: "comment",
  u: "attach",
  p: "print",
  x: "export",
  r: "again",
  "?": "help",
  "？": "help",
};
const DEED_KEYS = new Set(Object.values(DEEDS).map(({ key }) => key.toLowerCase()));

/** The action a key press stands for, or null. In fields most keys belong to those; sending and Esc work everywhere.
 * @param {import("../presses.js").Press} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  const key = press.key.toLowerCase();
  if ((press.ctrlKey || press.metaKey) && !press.altKey) {
    if (key === "s") return "save";
    return key === "enter" && press.isInField ? "save" : null;
  }
  if (press.altKey) return null;
  if (key === "escape") return "back";
  if (press.isInField) return null;
  if (/^[1-9]$/.test(key)) return `box${key}`;
  return DEED_KEYS.has(key) ? `deed${key.toUpperCase()}` : (ACTION_OF_KEY[key] ?? null);
}
