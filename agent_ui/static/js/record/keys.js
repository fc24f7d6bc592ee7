// Keys of the page of calls.
//
// In: a key press. Out: the name of what is asked for. Not known here: what it does.

/** The keys as they stand in the help. @param {string} space what the space bar is called */
export const keyRows = (space) => [
  [["/"], "callFind"],
  [["J", "K", "↑", "↓"], "callMove"],
  [["Enter"], "callOpen"],
  [["[", "]"], "callPage"],
  [[space], "recPlay"],
  [["←", "→"], "recSeek"],
  [["Shift+←", "→"], "recWord"],
  [[",", "."], "recSpeed"],
  [["F2"], "recAgain"],
  [["L"], "callLeg"],
  [["V"], "callUnmask"],
  [["D"], "callSave"],
  [["Esc"], "back"],
  [["?"], "help"],
];

const ACTION_OF_KEY = {
  j: "down",
  arrowdown: "down",
  k: "up",
  arrowup: "up",
  "[": "previous",
  "【": "previous",
  "]": "next",
  "】": "next",
  " ": "play",
  arrowleft: "left",
  arrowright: "right",
  ",": "slower",
  "，": "slower",
  ".": "faster",
  "。": "faster",
  l: "leg",
  v: "unmask",
  d: "save",
  "/": "find",
  "、": "find",
  "?": "help",
  "？": "help",
};

/** The action a key press stands for, or null. In fields keys belong to those, but for Esc and F2.
 * @param {import("../presses.js").Press} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  if (press.altKey || press.ctrlKey || press.metaKey) return null;
  const key = press.key.toLowerCase();
  if (key === "escape") return "back";
  if (key === "f2") return "again";
  return press.isInField ? null : (ACTION_OF_KEY[key] ?? null);
}
