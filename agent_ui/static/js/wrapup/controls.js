// The controls of the form: one of a few, a line or a few lines of text.
//
// In: a value. Out: an element; `onSet` with another value, `onEnter` where somebody says that it is right.
// All have the same face: `update`, `focus`, `typed` (null where nothing waits to be saved), `reset`.
// Not known here: which field it is, where values go.

import { h, setAttribute, setText } from "../dom.js";

/** One of a few: arrows choose, and the keys that the form hands in.
 * @param {{label: string, values: string[], words: (value) => string, keys: string[], onSet, onEnter}} how */
export function mountChoice({ label, values, words, keys, onSet, onEnter }) {
  const buttons = values.map((value, index) =>
    h(
      "button",
      {
        type: "button",
        role: "radio",
        tabindex: "-1",
        "aria-checked": "false",
        title: `${words(value)} (${keys[index]})`,
        onclick: () => choose(value),
      },
      h("span", {}, words(value)),
      h("kbd", { "aria-hidden": "true" }, keys[index]),
    ),
  );
  const element = h("div", { class: "choice", role: "radiogroup", "aria-label": label }, ...buttons);
  let shown = "";
  let isLocked = false;

  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") onEnter();
    else if (step === undefined) return;
    else {
      const at = Math.max(0, values.indexOf(shown)) + (shown === "" ? 0 : step);
      choose(values[(at + values.length) % values.length]);
    }
    event.preventDefault();
    event.stopPropagation();
  });

  function choose(value) {
    if (isLocked) return;
    const hadFocus = element.contains(document.activeElement);
    if (value !== shown) onSet(value);
    draw(value);
    if (hadFocus) focus();
  }

  function draw(value) {
    shown = value;
    const stop = Math.max(0, values.indexOf(value));
    buttons.forEach((button, index) => {
      setAttribute(button, "aria-checked", String(values[index] === value));
      button.tabIndex = index === stop ? 0 : -1;
    });
  }

  function update(value, { isClosed }) {
    isLocked = isClosed;
    setAttribute(element, "aria-disabled", isClosed ? "true" : null);
    draw(value);
  }

  function focus() {
    buttons[Math.max(0, values.indexOf(shown))].focus({ preventScroll: true });
  }

  draw("");
  return { element, update, focus, choose, typed: () => null, reset: () => {} };
}

/** A line of text, or with `rows` a few; what is being typed stays, whatever comes in meanwhile.
 * @param {{label: string, longest: number, rows?: number, placeholder?: string, suggestions?: string,
 *   onSet: (value) => void, onEnter: (value) => void, onTyped?: (value) => void}} how */
export function mountText({ label, longest, rows, placeholder = "", suggestions, onSet, onEnter, onTyped }) {
  const all = { class: "form-text", "aria-label": label, maxlength: String(longest), placeholder, autocomplete: "off" };
  const element = rows
    ? h("textarea", { ...all, rows: String(rows) })
    : h("input", { ...all, list: suggestions, spellcheck: "false" });
  let shown = "";

  element.addEventListener("input", () => onTyped?.(element.value));
  element.addEventListener("blur", () => {
    const value = typed();
    if (value !== null) onSet(value);
  });
  element.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !event.shiftKey) onEnter(element.value.trim());
    else if (event.key === "Escape" && typed() !== null) reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function typed() {
    const value = element.value.trim();
    return value === shown ? null : value;
  }

  function reset() {
    element.value = shown;
    onTyped?.(shown);
  }

  /** Take another value in; what somebody has typed and not saved is theirs. */
  function update(value, { isClosed }) {
    element.readOnly = isClosed;
    const isTheirs = typed() !== null && document.activeElement === element;
    const wasTyped = typed();
    shown = value;
    if (isTheirs || wasTyped === value) return;
    if (element.value !== value) element.value = value;
    onTyped?.(value);
  }

  return {
    element,
    update,
    typed,
    reset,
    focus: () => (element.focus({ preventScroll: true }), element.select()),
  };
}

/** The row of one field: its name and mark on the left, the control, where it was said on the right.
 * @param {{id: string, label: string, control: Element, source: Element}} parts */
export function formRow({ id, label, control, source }) {
  const mark = h("span", { class: "form-mark" });
  const element = h(
    "div",
    { class: "form-row", "data-field": id },
    h("div", { class: "form-label" }, h("span", {}, label), mark),
    control,
    source,
  );

  function draw({ kind, text, tip }) {
    setAttribute(element, "data-mark", kind);
    setText(mark, text);
    setAttribute(mark, "title", tip);
  }

  return { element, draw };
}
