// What the keys of the knowledge page do: a panel beside the work.
//
// In: words. Out: a panel.

import { h } from "../dom.js";
import { rememberFocus } from "../focus.js";

const ROWS = [
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

/** @param {{onClose: () => void, opener: () => Element}} actions `opener` has the focus after closing, where
 *   nothing had it before */
export function mountKeyHelp(t, actions) {
  const close = h("button", { type: "button", title: "Esc", onclick: actions.onClose }, t("help.close"));
  const element = h(
    "aside",
    { class: "panel help", hidden: true, "aria-label": t("help.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("help.title")), close),
    h(
      "dl",
      {},
      ...ROWS.map(([keys, key]) =>
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
