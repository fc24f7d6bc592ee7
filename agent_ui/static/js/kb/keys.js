// Keys of the knowledge page.
//
// In: key presses. Out: the name of what is asked for. Not known here: what it does.

/** The keys as they stand in the help. */
export const KEY_ROWS = [
  [["J", "K", "↑", "↓"], "move"],
  [["Enter"], "open"],
  [["Space"], "choose"],
  [["[", "]"], "page"],
  [["/"], "search"],
  [["N"], "new"],
  [["Ctrl+S"], "save"],
  [["Delete"], "delete"],
  [["T", "Alt+/"], "try"],
  [["1", "2", "3", "4"], "view"],
  [["Esc"], "back"],
  [["?"], "help"],
];

const ACTION_OF_KEY = {
  j: "down",
  arrowdown: "down",
  k: "up",
  arrowup: "up",
  enter: "open",
  " ": "choose",
  "[": "pageBack",
  "]": "pageOn",
  n: "new",
  t: "try",
  "/": "search",
  "、": "search",
  delete: "delete",
  1: "view1",
  2: "view2",
  3: "view3",
  4: "view4",
  "?": "help",
  "？": "help",
  escape: "back",
};

/** The action a key press stands for, or null. In fields and on buttons most keys belong to those; saving and
 * Esc work everywhere.
 * @param {{key: string, keyCode: number, isComposing: boolean, ctrlKey: boolean, metaKey: boolean,
 *   altKey: boolean, isInField: boolean, isOnControl: boolean}} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  const key = press.key.toLowerCase();
  if ((press.ctrlKey || press.metaKey) && !press.altKey) {
    if (key === "s") return "save";
    return key === "enter" && press.isInField ? "save" : null;
  }
  if (press.altKey) return press.key === "/" ? "try" : null;
  if (key === "escape") return "back";
  if (press.isInField) return null;
  if (press.isOnControl && (key === "enter" || key === " ")) return null;
  return ACTION_OF_KEY[key] ?? null;
}
