// What the keys of a page do: a panel beside the work.
//
// In: words, keys by what they do. Out: a panel.

import { h } from "./dom.js";

/** @param {Array<[Array<string>, string]>} rows keys, and what they do as the end of a word `key.…`
 * @param {{onClose: () => void}} actions */
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

  function toggle(isShown = element.hidden) {
    const was = !element.hidden;
    element.hidden = !isShown;
    if (isShown) close.focus();
    return was !== isShown;
  }

  return { element, toggle, isOpen: () => !element.hidden };
}
