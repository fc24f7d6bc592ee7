// What the keys of a page do: a panel beside the work.
//
// In: words, keys by what they do. Out: a panel.

import { h } from "./dom.js";
import { rememberFocus } from "./focus.js";

/** @param {Array<[Array<string>, string]>} rows keys, and what they do as the end of a word `key.…`
 * @param {{onClose: () => void, opener: () => Element}} actions `opener` has the focus after closing, where
 *   nothing had it before */
export function mountKeyHelp(t, rows, actions) {
  const close = h("button", { type: "button", title: "Esc", onclick: actions.onClose }, t("help.close"));
  const element = h(
    "aside",
    { class: "panel help", hidden: true, "aria-label": t("help.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("help.title")), close),
    h(
      "dl",
      {},
      ...rows.map(([keys, key]) =>
        h("div", {}, h("dt", {}, ...keys.map((name) => h("kbd", {}, name))), h("dd", {}, t(`key.${key}`))),
      ),
    ),
  );

  let giveBack = () => {};

  function toggle(isShown = element.hidden) {
    const was = !element.hidden;
    if (was === isShown) return false;
    if (isShown) giveBack = rememberFocus();
    element.hidden = !isShown;
    if (isShown) close.focus();
    else giveBack(actions.opener());
    return true;
  }

  return { element, toggle, isOpen: () => !element.hidden };
}
