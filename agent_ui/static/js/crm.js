// The way from a call to what another system knows of the caller.
//
// In: the address that the server was set up with, the shown call. Out: a link that opens beside the desk.
// Not known here: that system.

import { h, setAttribute } from "./dom.js";
import { keyOf } from "./keys.js";

/** @param {string} template an address with `{caller}`, `{call_id}`, `{operator_id}` or `{dialled}`
 * @returns {string|null} null where there is none, or no call */
export function crmAddress(template, call) {
  if (!template || !call) return null;
  return template.replace(/\{(caller|call_id|operator_id|dialled)\}/g, (_, name) => encodeURIComponent(call[name] ?? ""));
}

export function mountCrm(t, template) {
  const element = h("a", { class: "crm-link", target: "zhiting-crm", hidden: true }, t("crm.open"));

  function update(call) {
    const address = crmAddress(template, call);
    element.hidden = address === null;
    setAttribute(element, "href", address);
    setAttribute(element, "title", t("crm.tip", { key: keyOf("crm") }));
  }

  /** @returns {boolean} whether there was something to open */
  function open() {
    if (element.hidden) return false;
    element.click();
    return true;
  }

  return { element, update, open };
}
