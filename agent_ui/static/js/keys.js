// Keys of the desk.
//
// In: key presses outside fields, and the keys that were chosen. Out: the name of what is asked for.
// Not known here: what it does.

const KEPT_UNDER = "zhiting.keys";

/** Keys that come with the desk. Those of `FIXED` belong to no choice: a digit is the number on a card. */
export const DEFAULT_KEYS = Object.freeze({
  expand0: "1",
  expand1: "2",
  expand2: "3",
  copy: "c",
  pin: "p",
  helpful: "+",
  wrong: "-",
  dismiss: "x",
  search: "/",
  history: "h",
  edit: "e",
  undo: "u",
  replay: "r",
  newNote: "n",
  transfer: "t",
  form: "w",
  crm: "o",
  latest: "end",
  help: "?",
});
const FIXED = { escape: "back" };
/** What the same key writes with another layout or input mode. */
const SAME_KEY = { "=": "+", "、": "/", "？": "?", "＋": "+", "－": "-" };
const USABLE = /^(?:[\p{L}\p{N}\p{P}\p{S}]|f\d{1,2}|end|home|insert|delete|pageup|pagedown)$/u;

let keys = { ...DEFAULT_KEYS };

/** @param {Record<string, string>} chosen keys by action; what it does not name keeps its usual key */
export function useKeys(chosen) {
  const known = Object.entries(chosen ?? {}).filter(([action, key]) => action in DEFAULT_KEYS && USABLE.test(key));
  keys = { ...DEFAULT_KEYS, ...Object.fromEntries(known) };
}

/** Take up what was chosen in this browser. */
export function recallKeys() {
  try {
    useKeys(JSON.parse(localStorage.getItem(KEPT_UNDER) ?? "{}"));
  } catch {
    useKeys({}); // not ours, or torn: the usual keys
  }
}

export function rememberKeys() {
  const own = Object.entries(keys).filter(([action, key]) => key !== DEFAULT_KEYS[action]);
  if (own.length === 0) localStorage.removeItem(KEPT_UNDER);
  else localStorage.setItem(KEPT_UNDER, JSON.stringify(Object.fromEntries(own)));
}

/** @returns {{ok: true} | {ok: false, why: "unusable"} | {ok: false, why: "taken", by: string}} */
export function changeKey(action, pressed) {
  const key = nameOf(pressed);
  if (key in FIXED || !USABLE.test(key)) return { ok: false, why: "unusable" };
  const by = Object.keys(keys).find((other) => other !== action && keys[other] === key);
  if (by !== undefined) return { ok: false, why: "taken", by };
  keys = { ...keys, [action]: key };
  return { ok: true };
}

/** @returns {string} the key of an action, as it is printed on it */
export function keyOf(action) {
  const key = keys[action];
  return key.length === 1 ? key.toUpperCase() : key[0].toUpperCase() + key.slice(1);
}

function nameOf(key) {
  const lower = key.toLowerCase();
  return SAME_KEY[lower] ?? lower;
}

/** The action a key press stands for, or null: in fields, while an input method composes, or with a modifier
 * that belongs to the browser, keys are left alone.
 * @param {{key: string, keyCode: number, isComposing: boolean, ctrlKey: boolean, metaKey: boolean,
 *   altKey: boolean, isInField: boolean}} press */
export function actionOf(press) {
  if (press.isComposing || press.keyCode === 229) return null;
  if (press.ctrlKey || press.metaKey || press.altKey || press.isInField) return null;
  const key = nameOf(press.key);
  return FIXED[key] ?? Object.keys(keys).find((action) => keys[action] === key) ?? null;
}

/** Call `act(name)` for every key press that means something; stops with the signal. */
export function listenForKeys(act, signal) {
  document.addEventListener(
    "keydown",
    (event) => {
      const { key, keyCode, isComposing, ctrlKey, metaKey, altKey, target } = event;
      const isInField = target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
      const action = actionOf({ key, keyCode, isComposing, ctrlKey, metaKey, altKey, isInField });
      if (action !== null && act(action)) event.preventDefault();
    },
    { signal },
  );
}
