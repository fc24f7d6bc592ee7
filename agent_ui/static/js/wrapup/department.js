// The department of the form: a field to search in the directory, with what was drafted on top.
//
// In: the wrap-up, the directory. Out: a field with a list below, and calls of `onSet` with an identifier.
// Not known here: where values go.

import { ApiError } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { readUnits } from "./lists.js";
import { choicesOf } from "./marks.js";

const LIST_ID = "department-list";
const LIST_PX = 300;
const GAP_PX = 8;

/** @param {{label: string, onSet: (id: string) => void, onEnter: () => void, onSay: (text: string) => void}} how */
export function mountDepartment(t, { label, onSet, onEnter, onSay }) {
  const field = h("input", {
    class: "form-text",
    role: "combobox",
    "aria-label": label,
    "aria-expanded": "false",
    "aria-controls": LIST_ID,
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "100",
    placeholder: t("department.search"),
  });
  const list = h("div", { class: "department-list", id: LIST_ID, role: "listbox", "aria-label": label, hidden: true });
  const none = h("p", { class: "department-none", role: "status", hidden: true });
  const element = h("div", { class: "department" }, field, list, none);
  let units = null;
  let shown = { value: "", id: null, choices: [] };
  let found = [];
  let at = -1;
  let isClosed = false;

  field.addEventListener("input", () => open(field.value.trim()));
  field.addEventListener("focus", () => void read());
  field.addEventListener("click", () => open(""));
  field.addEventListener("blur", () => leave());
  field.addEventListener("keydown", onKey);

  async function read() {
    try {
      units = await readUnits();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      onSay(t("department.error", { code: error.code }));
      return false;
    }
  }

  async function open(words) {
    if (isClosed) return;
    if (!(await read()) || document.activeElement !== field) return;
    found = choicesOf(units, shown.choices, words);
    at = words === "" || found.length === 0 ? -1 : 0;
    list.replaceChildren(...found.map(option));
    list.hidden = found.length === 0;
    none.hidden = found.length > 0;
    setText(none, found.length > 0 ? "" : t("department.none"));
    setAttribute(field, "aria-expanded", String(!list.hidden));
    place(list.hidden ? none : list);
    point(at);
  }

  /** Below the field, over whatever stands there; above it where there is more room. */
  function place(box) {
    const { left, width, top, bottom } = field.getBoundingClientRect();
    const below = innerHeight - bottom - GAP_PX;
    const isBelow = below > Math.min(LIST_PX, top);
    box.style.left = `${left}px`;
    box.style.width = `${width}px`;
    box.style.top = isBelow ? `${bottom}px` : "auto";
    box.style.bottom = isBelow ? "auto" : `${innerHeight - top}px`;
    box.style.maxHeight = `${Math.min(LIST_PX, isBelow ? below : top - GAP_PX)}px`;
  }

  function option({ id, name, choice }, index) {
    return h(
      "div",
      {
        role: "option",
        id: `department-${index}`,
        class: "department-option",
        "aria-selected": "false",
        // Before the field loses the focus, which would close the list.
        onpointerdown: (event) => (event.preventDefault(), pick(index)),
      },
      h("span", {}, name),
      choice || id === shown.id ? h("span", { class: "department-why" }, choice ? t("department.suggested") : "") : "",
    );
  }

  function point(index) {
    at = index;
    [...list.children].forEach((one, i) => setAttribute(one, "aria-selected", String(i === index)));
    setAttribute(field, "aria-activedescendant", index >= 0 ? `department-${index}` : null);
    list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  function onKey(event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = !list.hidden || !none.hidden;
    if (event.key === "ArrowDown" && !isOpen) open("");
    else if (event.key === "ArrowDown") point(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp" && isOpen) point(Math.max(at - 1, 0));
    else if (event.key === "Enter" && isOpen && at >= 0) pick(at);
    else if (event.key === "Enter" && field.value.trim() === shown.value) onEnter();
    else if (event.key === "Enter") onSay(t("department.pick"));
    else if (event.key === "Escape" && (isOpen || typed() !== null)) reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function pick(index) {
    const { id, name } = found[index];
    close();
    field.value = name;
    shown = { ...shown, value: name, id };
    onSet(id);
  }

  function leave() {
    close();
    if (field.value.trim() === "" && shown.value !== "") onSet("");
    else if (typed() !== null) reset(); // words that name no department are none
  }

  function close() {
    list.hidden = none.hidden = true;
    setAttribute(field, "aria-expanded", "false");
    setAttribute(field, "aria-activedescendant", null);
  }

  function typed() {
    return field.value.trim() === shown.value ? null : field.value.trim();
  }

  function reset() {
    close();
    field.value = shown.value;
  }

  function update(value, { isClosed: closed, workOrder }) {
    const isTyping = document.activeElement === field && typed() !== null;
    shown = { value, id: workOrder?.department_id ?? null, choices: workOrder?.departments ?? [] };
    isClosed = closed;
    field.readOnly = closed;
    if (!isTyping && field.value !== value) field.value = value;
    setAttribute(field, "title", value || null);
  }

  return {
    element,
    update,
    reset,
    typed: () => null,
    focus: () => (field.focus({ preventScroll: true }), field.select()),
  };
}
