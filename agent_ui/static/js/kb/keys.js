// Keys of the knowledge page.
//
// In: key presses. Out: the name of what is asked for. Not known here: what it does.

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

/** Call `act(name, event)` for every key press that means something; stops with the signal. */
export function listenForKeys(act, signal) {
  document.addEventListener(
    "keydown",
    (event) => {
      const { key, keyCode, isComposing, ctrlKey, metaKey, altKey, target } = event;
      const near = (selector) => target instanceof Element && target.closest(selector) !== null;
      const action = actionOf({
        key,
        keyCode,
        isComposing,
        ctrlKey,
        metaKey,
        altKey,
        isInField: near('input:not([type="checkbox"], [type="radio"], [type="file"]), textarea, select'),
        isOnControl: near("button, a, input, summary"),
      });
      if (action !== null && act(action, event)) event.preventDefault();
    },
    { signal },
  );
}
