// Keys of the watch page.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["1", "…", "4"], "watchView"],
  [["A"], "watchTake"],
  [["J", "K", "↑", "↓"], "watchMove"],
  [["Enter"], "watchOpen"],
  [["Y", "N"], "watchRate"],
  [["M"], "watchSound"],
  [["[", "]"], "watchList"],
  [["R"], "watchAgain"],
  [["Esc"], "back"],
  [["?"], "help"],
];

const ACTION_OF_KEY = {
  a: "take",
  j: "down",
  arrowdown: "down",
  k: "up",
  arrowup: "up",
  y: "isTrue",
  n: "isFalse",
  m: "sound",
  "[": "before",
  "]": "after",
  r: "again",
  1: "view1",
  2: "view2",
  3: "view3",
  4: "view4",
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
