// What stands above and below a list: a search field, a choice, pages.
//
// In: words, what was chosen before. Out: elements, and calls when something is chosen.
// Not known here: what is searched.

import { h, setText } from "../dom.js";
import { button, many } from "../parts.js";

const PAUSE_MS = 250;

/** A field that asks when typing has paused, never while an input method composes.
 * @param {{label: string, value: string, key?: string, onSearch: (text: string) => void}} how */
export function mountSearch({ label, value, key = "/", onSearch }) {
  const field = h("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    title: key ? `${label} (${key})` : null,
    autocomplete: "off",
    maxlength: "100",
  });
  field.value = value;
  let timer = 0;
  let told = value;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MS);
  };
  function search() {
    clearTimeout(timer);
    if (field.value === told) return;
    told = field.value;
    onSearch(told);
  }
  field.addEventListener("input", (event) => event.isComposing || later());
  field.addEventListener("compositionend", later);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing && event.keyCode !== 229) search();
  });
  const element = h(
    "div",
    { class: "sys-search" },
    field,
    key ? h("kbd", { "aria-hidden": "true" }, key) : "",
  );

  /** Esc: an emptied field first, then out of it. */
  function back() {
    if (document.activeElement !== field) return false;
    if (field.value === "") field.blur();
    field.value = "";
    search();
    return true;
  }

  /** Hold another text without asking. */
  function set(text) {
    clearTimeout(timer);
    field.value = told = text;
  }

  return { element, back, set, focus: () => (field.focus(), field.select()) };
}

/** @param {{label: string, value: string, options: Array<{value: string, text: string}>,
 *   onChoose: (value: string) => void}} how */
export function mountChoice({ label, value, options, onChoose }) {
  const element = h("select", { "aria-label": label });
  element.addEventListener("change", () => {
    mark();
    onChoose(element.value);
  });

  function mark() {
    if (element.value === "") delete element.dataset.set;
    else element.dataset.set = "true";
  }

  /** Offer other options; what was chosen stays chosen. */
  function offer(next, chosen = element.value) {
    const isKnown = chosen === "" || next.some((option) => option.value === chosen);
    const all = isKnown ? next : [...next, { value: chosen, text: chosen }];
    element.replaceChildren(...all.map((option) => h("option", { value: option.value }, option.text)));
    element.value = chosen;
    mark();
  }

  /** Choose without telling. */
  function set(chosen) {
    element.value = chosen;
    mark();
  }

  offer(options, value);
  return { element, offer, set };
}

/** @param {{size: number, onTurn: (offset: number) => void}} how */
export function mountPager(t, { size, onTurn }) {
  const text = h("span", { role: "status" });
  const back = button("‹", () => turn(-1), {
    "aria-label": t("list.pageBack"),
    title: `${t("list.pageBack")} ([)`,
  });
  const on = button("›", () => turn(1), { "aria-label": t("list.pageOn"), title: `${t("list.pageOn")} (])` });
  const element = h("div", { class: "sys-pager" }, text, back, on);
  let offset = 0;
  let total = 0;

  function turn(by) {
    const next = offset + by * size;
    if (next < 0 || next >= total) return false;
    onTurn(next);
    return true;
  }

  function update(nextOffset, nextTotal) {
    [offset, total] = [nextOffset, nextTotal];
    const values = {
      first: many(offset + 1, t),
      last: many(Math.min(total, offset + size), t),
      total: many(total, t),
    };
    setText(text, total > 0 ? t("list.range", values) : "");
    back.disabled = offset === 0;
    on.disabled = offset + size >= total;
    back.hidden = on.hidden = total <= size;
  }

  update(0, 0);
  return { element, update, turn };
}

/** Buttons of which one is chosen, for lists that share a place.
 * @param {{names: Array<string>, label: string, text: (name: string) => string, chosen: string,
 *   onChoose: (name: string) => void}} how */
export function mountTabs({ names, label, text, chosen, onChoose }) {
  const tabs = names.map((name) =>
    h("button", { type: "button", role: "tab", onclick: () => choose(name) }, text(name)),
  );
  const element = h("div", { role: "tablist", class: "sys-tabs", "aria-label": label }, ...tabs);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    event.preventDefault();
    const next = (tabs.indexOf(document.activeElement) + (event.key === "ArrowRight" ? 1 : -1)) % tabs.length;
    tabs.at(next).focus();
    tabs.at(next).click();
  });

  function choose(name) {
    mark(name);
    onChoose(name);
  }

  function mark(name) {
    tabs.forEach((tab, place) => {
      tab.setAttribute("aria-selected", String(names[place] === name));
      tab.tabIndex = names[place] === name ? 0 : -1;
    });
  }

  mark(chosen);
  return { element, choose };
}
