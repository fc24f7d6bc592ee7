// Keys of the desk.
//
// In: key presses outside fields. Out: the name of what is asked for. Not known here: what it does.

const ACTION_OF_KEY = {
  1: "expand0",
  2: "expand1",
  3: "expand2",
  c: "copy",
  p: "pin",
  "+": "helpful",
  "=": "helpful",
  "-": "wrong",
  x: "dismiss",
  "/": "search",
  "、": "search",
  "?": "help",
  "？": "help",
  escape: "back",
  end: "latest",
};

/** The action a key press stands for, or null: in fields, while an input method composes, or with a modifier
 * that belongs to the browser, keys are left alone.
 * @param {{key: string, keyCode: number, isComposing: boolean, ctrlKey: boolean, metaKey: boolean,
 *   altKey: boolean, isInField: boolean}} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  if (press.ctrlKey || press.metaKey || press.altKey || press.isInField) return null;
  return ACTION_OF_KEY[press.key.toLowerCase()] ?? null;
}

/** Call `act(name)` for every key press that means something; stops with the signal. */
export function listenForKeys(act, signal) {
  document.addEventListener(
    "keydown",
    (event) => {
      const { key, keyCode, isComposing, ctrlKey, metaKey, altKey, target } = event;
      const isInField = target instanceof Element && target.closest("input, textarea, select") !== null;
      const action = actionOf({ key, keyCode, isComposing, ctrlKey, metaKey, altKey, isInField });
      if (action !== null && act(action)) event.preventDefault();
    },
    { signal },
  );
}
