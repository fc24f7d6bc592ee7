// Keys of the system page.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["1", "…", "5"], "sysView"],
  [["J", "K", "↑", "↓"], "sysMove"],
  [["Enter"], "sysOpen"],
  [["/"], "sysSearch"],
  [["N"], "sysNew"],
  [["Delete"], "sysDelete"],
  [["[", "]"], "sysPage"],
  [["T"], "sysTry"],
  [["Ctrl+S"], "sysSave"],
  [["R"], "sysAgain"],
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
  n: "new",
  t: "try",
  r: "again",
  "/": "search",
  "、": "search",
  delete: "delete",
  1: "view1",
  2: "view2",
  3: "view3",
  4: "view4",
  5: "view5",
  "?": "help",
  "？": "help",
};

/** The action a key press stands for, or null. In fields most keys belong to those; saving and Esc work everywhere.
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
  return press.isInField ? null : (ACTION_OF_KEY[key] ?? null);
}
