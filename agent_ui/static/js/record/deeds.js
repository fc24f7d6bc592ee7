// What an administrator may do with a call: hold it, release it, delete it or its sound; each with a reason.
//
// In: a record. Out: buttons, a small form in their place, and calls of `onDo`.
// Not known here: the server.

import { h, setText } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";

const LEAST = 2;

/** @param {{onDo: (deed: string, reason: string, until: string) => Promise<void>}} actions */
export function mountDeeds(t, { onDo }) {
  const element = h("div", { class: "call-deeds" });
  let deeds = [];

  function show(record) {
    const isHeld = record.hold !== null && !record.hold.is_over;
    const isOver = record.snapshot.call.state === "ended";
    const sounds = record.sound !== null ? ["deleteSound"] : [];
    deeds = record.may_manage ? [isHeld ? "release" : "hold", ...(isOver && !isHeld ? [...sounds, "delete"] : [])] : [];
    rest();
  }

  function rest() {
    element.replaceChildren(
      ...deeds.map((deed) => button(t(`keep.${deed}`), () => ask(deed), { class: deed.startsWith("delete") ? "call-danger" : null, "data-deed": deed })),
    );
    element.hidden = deeds.length === 0;
  }

  function ask(deed) {
    const reason = h("input", { "aria-label": t("keep.reason"), placeholder: t("keep.reason"), maxlength: "200", autocomplete: "off", required: true });
    const until = h("input", { type: "date", "aria-label": t("keep.day"), title: t("keep.day") });
    const said = h("p", { class: "call-bad", role: "alert" });
    const go = h("button", { type: "submit", class: deed.startsWith("delete") ? "call-danger" : "primary" }, t(`keep.go.${deed}`));
    const form = h(
      "form",
      { class: "call-ask", novalidate: true },
      h("p", {}, t(`keep.sure.${deed}`)),
      reason,
      ...(deed === "hold" ? [h("label", { class: "sys-inline" }, t("keep.day"), until)] : []),
      said,
      h("div", {}, go, button(t("record.cancel"), () => back(deed))),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (Array.from(reason.value.trim()).length < LEAST) {
        setText(said, t("record.why"));
        return reason.focus();
      }
      whileWorking(
        go,
        () => onDo(deed, reason.value.trim(), until.value === "" ? "" : new Date(`${until.value}T23:59:59`).toISOString()),
        (error) => setText(said, reasonOf(error, t)),
      );
    });
    element.replaceChildren(form);
    reason.focus();
  }

  function back(deed) {
    rest();
    element.querySelector(`[data-deed="${deed}"]`)?.focus();
  }

  /** Esc: out of the form. */
  function close() {
    if (element.querySelector("form") === null) return false;
    rest();
    element.querySelector("button")?.focus();
    return true;
  }

  return { element, show, close };
}
