// What the keys do, in a panel that lies beside the work, never over it all.
//
// In: words. Out: panels, and calls of `actions`.

import { h, setText } from "./dom.js";
import { rememberFocus } from "./focus.js";
import { DEFAULT_KEYS, changeKey, keyOf, rememberKeys, useKeys } from "./keys.js";

/** The keys, each of which can be changed by a click on it and a press.
 * @param {{onClose: () => void, onKeys: (action: string|null) => void, opener: () => Element}} actions `onKeys`
 *   names the one whose key is another now; `opener` has the focus after closing, where nothing had it before */
export function mountHelp(t, actions) {
  const close = h("button", { type: "button", title: "Esc", onclick: actions.onClose }, t("help.close"));
  const said = h("p", { class: "help-said", role: "status" });
  const rows = Object.keys(DEFAULT_KEYS).map((action) => {
    const key = h("button", {
      type: "button",
      class: "key",
      title: t("keys.change", { name: t(`help.${action}`) }),
      onclick: () => ask(action, key),
    });
    return { action, key, element: h("div", {}, h("dt", {}, key), h("dd", {}, t(`help.${action}`))) };
  });
  const reset = h("button", { type: "button", class: "quiet", onclick: toDefaults }, t("keys.reset"));
  const element = h(
    "aside",
    { class: "panel help", hidden: true, "aria-label": t("help.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("help.title")), reset, close),
    h(
      "dl",
      {},
      ...rows.map((row) => row.element),
      h("div", {}, h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, t("help.back"))),
    ),
    said,
    h("p", {}, `${t("keys.how")}${t("help.note")}`),
  );
  let asked = null;
  let giveBack = () => {};

  element.addEventListener("keydown", (event) => {
    if (asked === null || event.isComposing || event.keyCode === 229) return;
    if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    take(event.key);
  });
  element.addEventListener("focusout", () => setTimeout(() => asked !== document.activeElement && draw()));

  function ask(action, key) {
    draw();
    asked = key;
    key.dataset.action = action;
    setText(key, t("keys.press"));
    setText(said, "");
  }

  function take(pressed) {
    const { action } = asked.dataset;
    if (pressed === "Escape") return draw();
    const done = changeKey(action, pressed);
    if (done.ok) {
      rememberKeys();
      actions.onKeys(action);
    } else if (done.why === "taken") {
      setText(said, t("keys.taken", { key: pressed.toUpperCase(), name: t(`help.${done.by}`) }));
    } else setText(said, t("keys.unusable"));
    draw();
  }

  function toDefaults() {
    useKeys({});
    rememberKeys();
    setText(said, "");
    actions.onKeys(null);
    draw();
  }

  function draw() {
    asked = null;
    for (const { action, key } of rows) setText(key, keyOf(action));
  }

  function toggle(isShown = element.hidden) {
    const was = !element.hidden;
    if (was === isShown) return false;
    if (isShown) giveBack = rememberFocus();
    element.hidden = !isShown;
    if (isShown) close.focus();
    else giveBack(actions.opener());
    return true;
  }

  /** Open it at one key, or with null at its beginning. */
  function openAt(action) {
    toggle(true);
    (rows.find((row) => row.action === action)?.key ?? reset).focus();
  }

  draw();
  return { element, toggle, openAt, isOpen: () => !element.hidden };
}
