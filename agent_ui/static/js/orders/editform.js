// The form of an order's content, for a new order or one that no department has yet.
//
// In: texts, what another one wrote meanwhile. Out: a form; texts as they are typed, and a wish to save.
// Not known here: the server.

import { h, lock, setText } from "../dom.js";
import { button } from "../parts.js";
import { mountFields } from "../sys/fields.js";
import { TYPES, URGENCIES } from "./content.js";
import { mountUnitField } from "./unitfield.js";

/** @param {{title: string, send: string, texts: object, units: object, onSave: () => void, onCancel: () => void}} how
 *   `texts` is written with every key */
export function mountEditForm(t, { title, send, texts, units, onSave, onCancel }) {
  const fault = h("p", { class: "sys-fault", role: "alert" });
  const notice = h("div", { class: "sys-look ord-clash", role: "status", hidden: true });
  const named = (word, values) => values.map((value) => ({ value, text: t(`${word}.${value}`) }));
  const fields = mountFields(texts, [
    { name: "summary", label: t("field.summary"), most: 200 },
    { name: "type", label: t("field.type"), kind: "choice", options: named("kind", TYPES), isHalf: true },
    { name: "urgency", label: t("field.urgency"), kind: "choice", options: named("haste", URGENCIES), isHalf: true },
    { name: "detail", label: t("field.detail"), kind: "area", rows: 4, most: 4000 },
    { name: "caller_name", label: t("field.caller_name"), most: 100, isHalf: true },
    { name: "caller_phone", label: t("field.caller_phone"), most: 64, isHalf: true },
    { name: "district", label: t("field.district"), most: 100, isHalf: true },
    { name: "category", label: t("field.category"), most: 100, isHalf: true },
    { name: "address", label: t("field.address"), most: 300 },
  ]);
  const unit = mountUnitField({
    label: t("field.department_id"),
    hint: t("take.department_id.how"),
    id: texts.department_id,
    units,
    onChange: (id) => (texts.department_id = id ?? ""),
  });
  const save = h("button", { type: "submit", class: "primary", title: "Ctrl+Enter" }, send);
  const element = h(
    "form",
    { class: "sys-form ord-form", novalidate: true, "aria-label": title },
    h("h3", {}, title),
    notice,
    ...fields.elements,
    unit.element,
    fault,
    h("div", { class: "sys-row" }, save, button(t("form.cancel"), onCancel, { title: "Esc" })),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  function submit() {
    const isBlank = texts.summary.trim() === "";
    fields.showFault(isBlank ? { field: "summary", text: t("take.missing") } : null);
    if (isBlank) return;
    if (unit.isUnknown()) {
      setText(fault, t("take.unit.unknown"));
      return unit.focus();
    }
    setText(fault, "");
    onSave();
  }

  function fill(values) {
    const { department_id: id, ...others } = values;
    fields.fill(others);
    if (id !== undefined) unit.set(id);
  }

  /** Say what another one wrote meanwhile. */
  function tellClashes(who, clashes) {
    const shown = (name, text) => (name === "department_id" ? units.nameOf(text) : text) || t("past.empty");
    notice.hidden = false;
    notice.replaceChildren(
      h("p", {}, t(clashes.length > 0 ? "conflict.edit" : "conflict.edit.none", { who })),
      ...clashes.map(({ name, theirs }) =>
        h(
          "p",
          {},
          h("strong", {}, t(`field.${name}`)),
          " ",
          t("conflict.theirs", { text: shown(name, theirs) }),
          " ",
          button(t("conflict.use"), () => fill({ [name]: theirs })),
        ),
      ),
    );
  }

  return {
    element,
    submit,
    fill,
    tellClashes,
    say: (text) => setText(fault, text),
    lock: (isToRest) => lock(save, isToRest),
    focus: () => fields.focus("summary"),
  };
}
