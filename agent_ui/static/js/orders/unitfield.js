// A field for a department: what is typed is looked up in the directory.
//
// In: the directory, an identifier. Out: a field; the identifier, or null where what is typed names nobody.
// Not known here: what the department is for.

import { h, setAttribute } from "../dom.js";

let count = 0;

/** @param {{label: string, hint?: string, id: string, units: object, onChange: (id: string|null) => void}} how */
export function mountUnitField({ label, hint, id, units, onChange }) {
  const name = `ord-unit-${(count += 1)}`;
  const list = h("datalist", { id: `${name}-list` }, ...units.names.map((one) => h("option", { value: one.name })));
  const field = h("input", {
    id: name,
    list: `${name}-list`,
    autocomplete: "off",
    maxlength: "100",
    "aria-describedby": hint ? `${name}-hint` : null,
  });
  const byName = new Map(units.names.map((one) => [one.name, one.id]));
  field.value = units.nameOf(id);
  field.addEventListener("input", () => onChange(idOf(field.value)));
  field.addEventListener("change", () => {
    // What fits one department alone is meant, also when it is not typed to its end.
    const found = idOf(field.value) === null ? units.find(field.value, 2) : [];
    if (found.length === 1) set(found[0].id);
    setAttribute(field, "aria-invalid", field.value.trim() !== "" && idOf(field.value) === null ? "true" : null);
  });
  const element = h(
    "div",
    { class: "sys-field" },
    h("label", { for: name }, label),
    field,
    list,
    hint ? h("p", { class: "sys-hint", id: `${name}-hint` }, hint) : "",
  );

  const idOf = (text) => (text.trim() === "" ? "" : (byName.get(text.trim()) ?? null));

  function set(next) {
    field.value = units.nameOf(next);
    setAttribute(field, "aria-invalid", null);
    onChange(next);
  }

  return { element, set, focus: () => field.focus(), isUnknown: () => idOf(field.value) === null };
}
