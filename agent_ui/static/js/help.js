// What the keys do, and the question for a token: two panels that lie beside the work, never over it all.
//
// In: words. Out: panels, and calls of `actions`.

import { h } from "./dom.js";

/** @param {{onClose: () => void}} actions */
export function mountHelp(t, actions) {
  const row = (keys, key) =>
    h("div", {}, h("dt", {}, ...keys.map((name) => h("kbd", {}, name))), h("dd", {}, t(`help.${key}`)));
  const close = h("button", { type: "button", title: "Esc", onclick: actions.onClose }, t("help.close"));
  const element = h(
    "aside",
    { class: "panel help", hidden: true, "aria-label": t("help.title") },
    h("div", { class: "panel-head" }, h("h2", {}, t("help.title")), close),
    h(
      "dl",
      {},
      row(["1", "2", "3"], "expand"),
      row(["C"], "copy"),
      row(["P"], "pin"),
      row(["+", "-"], "judge"),
      row(["X"], "dismiss"),
      row(["/"], "search"),
      row(["End"], "latest"),
      row(["Esc"], "back"),
      row(["?"], "help"),
    ),
    h("p", {}, t("help.note")),
  );

  function toggle(isShown = element.hidden) {
    const was = !element.hidden;
    element.hidden = !isShown;
    if (isShown) close.focus();
    return was !== isShown;
  }

  return { element, toggle, isOpen: () => !element.hidden };
}

/** @param {{onToken: (token: string) => void}} actions */
export function mountTokenPanel(t, actions) {
  const field = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const wrong = h("p", { class: "panel-wrong", role: "alert" });
  const element = h(
    "form",
    { class: "panel token", hidden: true, "aria-label": t("token.title") },
    h("h2", {}, t("token.title")),
    h("p", {}, t("token.how")),
    h("label", {}, t("token.label"), field),
    wrong,
    h("button", { type: "submit", class: "primary" }, t("token.enter")),
  );
  let tries = 0;
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    tries += 1;
    actions.onToken(field.value.trim());
  });

  function update(isNeeded) {
    if (element.hidden === !isNeeded) return;
    element.hidden = !isNeeded;
    wrong.textContent = isNeeded && tries > 0 ? t("token.wrong") : "";
    field.value = "";
    if (isNeeded) field.focus();
  }

  return { element, update };
}
