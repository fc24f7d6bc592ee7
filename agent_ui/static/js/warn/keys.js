// Keys of the page of warnings.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

import { DEEDS, RATINGS } from "./deeds.js";

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["1", "…", "5"], "warnBox"],
  [["J", "K", "↑", "↓"], "warnMove"],
  [["Enter"], "warnOpen"],
  [["A"], "warnAcknowledge"],
  [["T"], "warnAssign"],
  [["S"], "warnMute"],
  [["C", "O"], "warnClose"],
  [["Y", "N"], "warnRate"],
  [["U"], "warnUndo"],
  [["L"], "warnLookout"],
  [["/"], "warnSearch"],
  [["[", "]"], "warnPage"],
  [["R", "X"], "warnAgain"],
  [["Ctrl+Enter"], "warnSend"],
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
  r: "again",
  x: "export",
  l: "lookout",
  u: "undo",
  "?": "help",
  "？": "help",
  ...Object.fromEntries(Object.entries(DEEDS).map(([name, { key }]) => [key.toLowerCase(), `deed:${name}`])),
  ...Object.fromEntries(Object.keys(RATINGS).map((key) => [key.toLowerCase(), `rate:${key}`])),
};

/** The action a key press stands for, or null. In fields most keys belong to those; sending and Esc work everywhere.
 * @param {import("../presses.js").Press} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  const key = press.key.toLowerCase();
  if ((press.ctrlKey || press.metaKey) && !press.altKey) return key === "enter" && press.isInField ? "send" : null;
  if (press.altKey) return null;
  if (key === "escape") return "back";
  if (press.isInField) return null;
  if (/^[1-5]$/.test(key)) return `box${key}`;
  return ACTION_OF_KEY[key] ?? null;
}
