// What an administrator does for somebody who asks for it: take out of an order whatever leads to a person.
//
// In: an order and its history. Out: a button, a form in its place, and a call of `onErase`.
// Not known here: the server.

import { h, setText } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";

const LEAST = 2;
const MAY_GO = ["draft", "closed", "merged"];

/** @param {{isAllowed: boolean, onErase: (reason: string) => Promise<void>}} how */
export function mountErase(t, { isAllowed, onErase }) {
  const place = h("div");
  const element = h("section", { class: "sys-part", hidden: true }, h("h3", {}, t("erase.title")), place);
  let orderId = null;

  /** Offer it for an order, if nobody has done it yet and nobody needs to know any more whom it is about. */
  function show(order, history) {
    const isErased = history.some(({ action }) => action === "erased");
    const isOther = order.order_id !== orderId;
    orderId = order.order_id;
    element.hidden = !isAllowed || isErased || !MAY_GO.includes(order.state);
    if (isOther || element.hidden) rest();
  }

  function rest() {
    place.replaceChildren(button(t("erase.ask"), ask, { class: "ord-danger" }));
  }

  function ask() {
    const reason = h("input", { id: "ord-erase-why", maxlength: "200", autocomplete: "off", required: true });
    const fault = h("p", { class: "sys-fault", role: "alert" });
    const go = h("button", { type: "submit", class: "ord-danger" }, t("erase.go"));
    const form = h(
      "form",
      { class: "sys-form ord-form", novalidate: true, "aria-label": t("erase.go") },
      h("p", {}, t("erase.what")),
      h("p", { class: "sys-hint" }, t("erase.call")),
      h("div", { class: "sys-field" }, h("label", { for: reason.id }, t("erase.why")), reason),
      fault,
      h("div", { class: "sys-row" }, go, button(t("form.cancel"), close)),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (Array.from(reason.value.trim()).length < LEAST) {
        setText(fault, t("erase.missing"));
        return reason.focus();
      }
      whileWorking(go, () => onErase(reason.value.trim()), (error) => setText(fault, reasonOf(error, t)));
    });
    place.replaceChildren(form);
    reason.focus();
    form.scrollIntoView({ block: "nearest" });
  }

  /** Esc: out of the form. */
  function close() {
    if (element.hidden || place.querySelector("form") === null) return false;
    rest();
    place.firstChild.focus();
    return true;
  }

  return { element, show, close };
}
