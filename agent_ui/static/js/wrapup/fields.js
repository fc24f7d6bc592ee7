// The ten fields of the form, each with its control, its mark and the way to where it was said.
//
// In: words, and what to do. Out: rows by name. Not known here: where values go, the transcript.

import { h, setAttribute } from "../dom.js";
import { formRow, mountChoice, mountText } from "./controls.js";
import { mountDepartment } from "./department.js";
import { FIELDS, KINDS, URGENCIES, fieldOf, markOf } from "./marks.js";

/** Keys that choose while the focus is in the form, but not in a text. */
const KEYS = Object.freeze({ kind: ["1", "2", "3", "4", "5"], urgency: ["6", "7", "8"] });
export const SUMMARY_CHARS = 60;
const LONGEST = { caller_name: 100, caller_phone: 64, district: 100, place: 300, category: 100, detail: 4000 };
const SUGGESTED = { district: "form-districts", category: "form-categories" };
const LINES = { summary: 2, detail: 3 };

/** @param {{onSet: (name, value) => void, onEnter: (name) => void, onSource: (name) => void, onSay: (text) => void}} actions */
export function mountFields(t, actions) {
  const left = h("span", { class: "form-left" });
  const rows = new Map(FIELDS.map((name) => [name, mountField(name, t, actions, left)]));

  /** @returns {{name: string, value: string}|null} what a key chooses */
  function chosenBy(key) {
    for (const [name, keys] of Object.entries(KEYS)) {
      const at = keys.indexOf(key);
      if (at >= 0) return { name, value: (name === "kind" ? KINDS : URGENCIES)[at] };
    }
    return null;
  }

  return { rows, elements: [...rows.values()].map((row) => row.element), chosenBy };
}

function mountField(name, t, actions, left) {
  const label = t(`form.${name}`);
  const how = {
    label,
    onSet: (value) => actions.onSet(name, value),
    onEnter: () => actions.onEnter(name),
    onSay: actions.onSay,
  };
  const control = mountControl(name, how, t, left);
  const source = h(
    "button",
    {
      type: "button",
      class: "form-source quiet",
      title: t("form.source.tip"),
      "aria-label": t("form.source.of", { field: label }),
      onclick: () => actions.onSource(name),
    },
    t("form.source"),
  );
  const row = formRow({ id: name, label, control: control.element, source });
  if (name === "summary") row.element.firstChild.append(left);

  /** @param {{pending: string|undefined, hasFailed: boolean, isClosed: boolean}} more */
  function update(workOrder, { pending, hasFailed, isClosed }) {
    const field = fieldOf(workOrder, name);
    control.update(pending ?? field.value, { isClosed, workOrder });
    row.draw(saidOf(name, workOrder, hasFailed, t));
    source.disabled = field.spans.length === 0;
    setAttribute(row.element, "data-failed", hasFailed ? "true" : null);
  }

  return { element: row.element, control, update, focus: control.focus };
}

function mountControl(name, how, t, left) {
  if (name === "kind") return mountChoice({ ...how, values: KINDS, words: (one) => t(`kind.${one}`), keys: KEYS.kind });
  if (name === "urgency")
    return mountChoice({ ...how, values: URGENCIES, words: (one) => t(`urgency.${one}`), keys: KEYS.urgency });
  if (name === "department") return mountDepartment(t, how);
  if (name === "summary") {
    const onTyped = (value) => (left.textContent = t("form.left", { count: SUMMARY_CHARS - Array.from(value).length }));
    return mountText({ ...how, longest: SUMMARY_CHARS, rows: LINES.summary, onTyped });
  }
  const placeholder = name === "detail" ? t("form.detail.how") : t("mark.none");
  return mountText({ ...how, longest: LONGEST[name], rows: LINES[name], placeholder, suggestions: SUGGESTED[name] });
}

/** The mark of a field in words. */
function saidOf(name, workOrder, hasFailed, t) {
  const field = fieldOf(workOrder, name);
  if (hasFailed) return { kind: "unsure", text: t("form.unsent"), tip: t("form.unsent") };
  const kind = markOf(workOrder, name);
  if (kind === "none" && (name === "kind" || name === "summary"))
    return { kind: "unsure", text: t("mark.needed"), tip: t("mark.none.tip") };
  if (kind === "unsure" && name === "department" && workOrder.department_id === null)
    return { kind, text: t("mark.unlisted"), tip: t("mark.unlisted") };
  const tip = t(`mark.${kind}.tip`, { who: field.set_by });
  const isOther = kind === "set" && field.drafted !== "" && field.drafted !== field.value;
  return { kind, text: t(`mark.${kind}`), tip: isOther ? `${tip}\n${t("mark.drafted", field)}` : tip };
}
