// The form of a deed: what it takes, in place, beside the warning.
//
// In: a warning, a deed, what was typed before. Out: a form; what is typed, and a wish to send it.
// Not known here: the server.

import { h, lock, setText } from "../dom.js";
import { mountUnitField } from "../orders/unitfield.js";
import { button } from "../parts.js";

const UNTIL = ["4", "24", "tomorrow", "72", "168", "720"];
const URGENCIES = ["普通", "紧急", "特急"];
let count = 0;

/** @param {{deed: string, warning: object, typed: object, units: object, onSend: () => void, onCancel: () => void}} how
 *   `typed` is written with every key */
export function mountDeedForm(t, { deed, warning, typed, units, onSend, onCancel }) {
  const fault = h("p", { class: "sys-fault", role: "alert" });
  const send = h("button", { type: "submit", class: "primary", title: "Ctrl+Enter" }, t(`deed.${deed}.send`));
  let unit = null;
  const fields = { close: () => [note()], mute: () => [until(), everywhere(), note()], assign: assignment }[deed]();
  const element = h(
    "form",
    { class: "sys-form ord-form", novalidate: true, "aria-label": t(`deed.${deed}`) },
    h("h3", {}, t(`deed.${deed}`)),
    ...fields,
    fault,
    h("div", { class: "sys-row" }, send, button(t("form.cancel"), onCancel, { title: "Esc" })),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  function submit() {
    if (deed === "assign" && typed.way === "join" && !(typed.orderId ?? "").trim()) return say("take.order.needed");
    if (deed === "assign" && typed.way !== "join" && unit.isUnknown()) return say("take.unit.unknown");
    setText(fault, "");
    onSend();
  }

  function say(key) {
    setText(fault, t(key));
  }

  function labelled(label, control, { hint = "", half = false } = {}) {
    control.id = `warn-take-${(count += 1)}`;
    return h(
      "div",
      { class: half ? "sys-field half" : "sys-field" },
      h("label", { for: control.id }, label),
      control,
      hint ? h("p", { class: "sys-hint" }, hint) : "",
    );
  }

  function text(name, label, { rows = 2, most = 500, hint = "" } = {}) {
    const control = rows > 1 ? h("textarea", { rows: String(rows), maxlength: String(most) }) : h("input", { maxlength: String(most), autocomplete: "off" });
    control.value = typed[name] ?? "";
    control.addEventListener("input", () => (typed[name] = control.value));
    return labelled(label, control, { hint });
  }

  function note() {
    return text("note", t(`take.note.${deed}`));
  }

  function select(name, values, word, usual, options) {
    const control = h("select", {}, ...values.map((value) => h("option", { value }, t(`${word}.${value}`))));
    control.value = typed[name] ?? usual;
    control.addEventListener("change", () => (typed[name] = control.value));
    return labelled(t(`take.${name}`), control, options);
  }

  function until() {
    return select("until", UNTIL, "until", "24", { hint: t("take.until.how") });
  }

  function check(name, usual, label) {
    const box = h("input", { type: "checkbox" });
    box.checked = typed[name] ?? usual;
    box.addEventListener("change", () => (typed[name] = box.checked));
    return h("label", { class: "sys-check" }, box, h("span", {}, label));
  }

  function everywhere() {
    if (!warning.district) return h("p", { class: "sys-hint" }, t("take.everywhere.already"));
    return check("isEverywhere", false, t("take.everywhere"));
  }

  /** A new order, or one there is: what is not chosen is hidden and kept. */
  function assignment() {
    typed.departmentId ??= warning.department_ids[0] ?? "";
    unit = mountUnitField({
      label: t("take.unit"),
      hint: t("take.unit.how"),
      id: typed.departmentId,
      units,
      onChange: (id) => (typed.departmentId = id),
    });
    const made = h(
      "div",
      { class: "warn-way" },
      unit.element,
      select("urgency", URGENCIES, "haste", "紧急"),
      check("isDispatched", true, t("take.dispatch")),
      text("detail", t("take.detail"), { most: 1000 }),
    );
    const joined = h("div", { class: "warn-way" }, text("orderId", t("take.order"), { rows: 1, most: 64, hint: t("take.order.how") }));
    const group = `warn-way-${(count += 1)}`;
    const radios = ["make", "join"].map((way) => {
      const radio = h("input", { type: "radio", name: group, value: way });
      radio.checked = (typed.way ?? "make") === way;
      radio.addEventListener("change", () => show((typed.way = way)));
      return h("label", { class: "ord-radio" }, radio, t(`take.way.${way}`));
    });
    function show(way) {
      made.hidden = way === "join";
      joined.hidden = way !== "join";
      setText(fault, "");
    }
    show(typed.way ?? "make");
    return [h("fieldset", { class: "ord-choice" }, h("legend", {}, t("take.way")), ...radios), made, joined];
  }

  return {
    element,
    submit,
    say: (words) => setText(fault, words),
    lock: (isToRest) => lock(send, isToRest),
    focus: () => element.querySelector("input:not([type=radio]:not(:checked)), select, textarea")?.focus(),
  };
}
