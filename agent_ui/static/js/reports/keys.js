// Keys of the page of reports.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["J", "K", "↑", "↓"], "reportMove"],
  [["Enter"], "reportOpen"],
  [["N"], "reportNew"],
  [[",", "."], "reportSection"],
  [["[", "]"], "reportTurn"],
  [["1", "2", "3"], "reportFile"],
  [["P"], "reportPrint"],
  [["X"], "reportRemove"],
  [["R"], "reportAgain"],
  [["Esc"], "back"],
  [["?"], "help"],
];

const ACTION_OF_KEY = {
  j: "down",
  arrowdown: "down",
  k: "up",
  arrowup: "up",
  n: "new",
  ",": "before",
  "，": "before",
  ".": "after",
  "。": "after",
  "[": "previous",
  "]": "next",
  1: "pdf",
  2: "docx",
  3: "xlsx",
  p: "print",
  x: "remove",
  r: "again",
  "?": "help",
  "？": "help",
};

/** The action a key press stands for, or null. In fields all but Esc belong to those.
 * @param {import("../presses.js").Press} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229 || press.ctrlKey || press.metaKey || press.altKey) return null;
  const key = press.key.toLowerCase();
  if (key === "escape") return "back";
  return press.isInField ? null : (ACTION_OF_KEY[key] ?? null);
}
