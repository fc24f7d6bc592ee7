// The line that says whether numbers and names are hidden, and the way to see them.
//
// In: whether they are hidden. Out: one line, a reason, and calls of `onUnmask`. Not known here: the server.

import { h, setText } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";

const LEAST = 2;

/** @param {{onUnmask: (reason: string) => Promise<void>}} actions */
export function mountMask(t, { onUnmask }) {
  const said = h("span");
  const start = button(t("record.unmask"), () => ask(), { title: t("record.unmask.tip") });
  const reason = h("input", { "aria-label": t("record.unmask.why"), placeholder: t("record.unmask.why"), maxlength: "200", autocomplete: "off" });
  const go = h("button", { type: "submit", class: "primary" }, t("record.unmask.go"));
  const wrong = h("span", { class: "call-bad", role: "alert" });
  const form = h("form", { class: "call-mask-form", hidden: true, novalidate: true }, reason, go, button(t("record.cancel"), () => close()), wrong);
  const element = h("div", { class: "call-mask" }, said, start, form);
  let isMasked = false;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (Array.from(reason.value.trim()).length < LEAST) {
      setText(wrong, t("record.why"));
      return reason.focus();
    }
    whileWorking(
      go,
      async () => {
        await onUnmask(reason.value.trim());
        setText(said, t("record.full"));
        element.dataset.full = "true";
        element.hidden = false;
      },
      (error) => setText(wrong, reasonOf(error, t)),
    );
  });

  function show(next) {
    isMasked = next;
    element.hidden = !next;
    delete element.dataset.full;
    setText(said, t("record.masked"));
    form.hidden = true;
    start.hidden = !next;
    reason.value = "";
    setText(wrong, "");
  }

  function ask() {
    if (!isMasked) return false;
    form.hidden = false;
    start.hidden = true;
    reason.focus();
    return true;
  }

  /** Esc: out of the form. */
  function close() {
    if (form.hidden) return false;
    form.hidden = true;
    start.hidden = false;
    start.focus();
    return true;
  }

  show(false);
  return { element, show, ask, close };
}
