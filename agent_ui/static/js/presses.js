// Key presses on pages of lists, with what decides whether a page may take them.
//
// In: key presses. Out: the name of what is asked for. Not known here: which key means what.

/** @typedef {{key: string, keyCode: number, isComposing: boolean, ctrlKey: boolean, metaKey: boolean,
 *   altKey: boolean, isInField: boolean, isOnControl: boolean}} Press */

/** Call `act(name, event)` for every key press that means something; stops with the signal.
 * @param {(press: Press) => string|null} actionOf what a press stands for on this page */
export function listenForKeys(actionOf, act, signal) {
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
