// Fields of a small form, which keep what is typed wherever the page goes meanwhile.
//
// In: what the fields are, an object that holds their texts. Out: elements; the texts as they are typed.
// Not known here: what the form is for.

import { h, setAttribute, setText } from "../dom.js";

/** What is open beside a list where something new is being made: too short for a name, a term, a number. */
export const NEW = "+";

let count = 0;

/** @param {Record<string, string>} texts is read now and written with every key
 * @param {Array<{name: string, label: string, hint?: string, kind?: "text"|"area"|"choice"|"number"|"password",
 *   options?: Array<{value: string, text: string}>, words?: Array<string>, most?: number, rows?: number,
 *   isLocked?: boolean, isHalf?: boolean, attributes?: object}>} fields
 * @param {() => void} onInput */
export function mountFields(texts, fields, onInput = () => {}) {
  const controls = {};
  const faults = {};
  const rows = fields.map((field) => {
    const id = `sys-field-${(count += 1)}`;
    const control = controlOf(field, id);
    control.value = texts[field.name];
    control.disabled = Boolean(field.isLocked);
    control.addEventListener("input", () => {
      texts[field.name] = control.value;
      showFault(null);
      onInput();
    });
    controls[field.name] = control;
    faults[field.name] = h("p", { class: "sys-fault", id: `${id}-fault`, role: "alert" });
    return h(
      "div",
      { class: field.isHalf ? "sys-field half" : "sys-field" },
      h("label", { for: id }, field.label),
      control,
      field.words
        ? h("datalist", { id: `${id}-words` }, ...field.words.map((value) => h("option", { value })))
        : "",
      field.hint ? h("p", { class: "sys-hint", id: `${id}-hint` }, field.hint) : "",
      faults[field.name],
    );
  });

  /** Say what is wrong, at its field. */
  function showFault(fault) {
    for (const [name, line] of Object.entries(faults)) {
      setText(line, fault?.field === name ? fault.text : "");
      setAttribute(controls[name], "aria-invalid", fault?.field === name ? "true" : null);
    }
    if (fault) controls[fault.field]?.focus();
  }

  function fill(values) {
    for (const [name, value] of Object.entries(values)) {
      texts[name] = value;
      if (name in controls) controls[name].value = value;
    }
    showFault(null);
  }

  return {
    elements: rows,
    fill,
    showFault,
    focus: (name) => controls[name].focus(),
    control: (name) => controls[name],
  };
}

function controlOf({ name, kind = "text", options, words, most, rows, hint, attributes = {} }, id) {
  const described = [hint ? `${id}-hint` : "", `${id}-fault`].join(" ").trim();
  const common = { id, name, maxlength: most ?? null, "aria-describedby": described, ...attributes };
  if (kind === "choice")
    return h("select", common, ...options.map(({ value, text }) => h("option", { value }, text)));
  if (kind === "area") return h("textarea", { ...common, rows: String(rows ?? 3) });
  return h("input", {
    autocomplete: kind === "password" ? "new-password" : "off",
    spellcheck: "false",
    ...common,
    type: kind === "password" ? "password" : "text",
    list: words ? `${id}-words` : null,
  });
}
