// The fields of one article.
//
// In: texts by field, words in use. Out: fields that stay the same elements, and texts as they are typed.
// Not known here: which article it is, where it is kept.

import { h, setAttribute, setText } from "../dom.js";
import { blankTexts, FIELDS } from "./fields.js";

const ROWS = { body: 7, questions: 4, keywords: 2 };
const WORDS_OF = { category: "categories", department: "departments", district: "districts" };

/** @param {{onInput: (texts) => void, survey: () => object|null}} actions */
export function mountForm(t, { onInput, survey }) {
  const controls = {};
  const faults = {};
  const lists = {};
  const rows = FIELDS.map((field) => {
    const id = `kb-field-${field.name}`;
    const control = controlOf(field, id);
    controls[field.name] = control;
    const fault = h("p", { class: "kb-fault", id: `${id}-fault`, role: "alert" });
    faults[field.name] = fault;
    const hint = field.kind !== "word" ? hintOf(field.name) : ""; // there it stands in the empty field
    return h(
      "div",
      { class: `kb-field kb-field-${field.name}` },
      h("label", { for: id }, t(`field.${field.name}`), hint ? h("small", {}, hint) : ""),
      control,
      lists[field.name] ?? "",
      fault,
    );
  });
  const element = h("form", { class: "kb-form", novalidate: true }, ...rows);
  element.addEventListener("submit", (event) => event.preventDefault());
  element.addEventListener("input", () => {
    showFault(null);
    onInput(texts());
  });
  element.addEventListener("focusin", offer);

  function hintOf(name) {
    return t.knows(`field.${name}.hint`) ? t(`field.${name}.hint`) : "";
  }

  function controlOf({ name, kind, most }, id) {
    const common = { id, name, maxlength: most ?? null, "aria-describedby": `${id}-fault` };
    if (kind === "text" || kind === "list") return h("textarea", { ...common, rows: ROWS[name] });
    if (kind === "day") return h("input", { ...common, type: "date" });
    if (kind === "word") {
      lists[name] = h("datalist", { id: `${id}-words` });
      return h("input", { ...common, type: "text", list: `${id}-words`, autocomplete: "off", placeholder: hintOf(name) });
    }
    return h("input", { ...common, type: "text", autocomplete: "off" });
  }

  /** The words in use, when somebody is about to need them. */
  function offer({ target }) {
    const list = lists[target.name];
    const words = survey()?.[WORDS_OF[target.name]] ?? [];
    if (!list || list.childElementCount === words.length) return;
    list.replaceChildren(...words.map(({ word }) => h("option", { value: word })));
  }

  function texts() {
    return Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));
  }

  function fill(values = blankTexts()) {
    for (const [name, control] of Object.entries(controls)) {
      if (control.value !== values[name]) control.value = values[name];
    }
    showFault(null);
  }

  /** @param {{field: string, text: string}|null} fault */
  function showFault(fault) {
    for (const [name, line] of Object.entries(faults)) {
      const isIt = fault?.field === name;
      setText(line, isIt ? fault.text : "");
      setAttribute(controls[name], "aria-invalid", isIt ? "true" : null);
    }
    if (fault) controls[fault.field].focus();
  }

  function lock(isLocked) {
    for (const control of Object.values(controls)) control.disabled = isLocked;
  }

  return { element, texts, fill, showFault, lock, focus: () => controls.title.focus() };
}
