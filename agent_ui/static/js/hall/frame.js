// What panels are made of.
//
// In: titles, figures, parts of lists. Out: elements. Not known here: what is counted, where panels stand.

import { h, setAttribute, setText } from "../dom.js";

/** A panel with its title, a place at the right of the title, and what it shows. */
export function panel(name, title, ...children) {
  const note = h("span", { class: "hall-note" });
  const element = h(
    "section",
    { class: "hall-panel", "data-panel": name, "aria-label": title },
    h("div", { class: "hall-panel-head" }, h("h2", {}, title), note),
    ...children,
  );
  return { element, note };
}

/** A large figure with what it means below. */
export function headline(label, size = "large") {
  const value = h("strong", { class: "hall-figure", "data-size": size }, "–");
  const name = h("span", { class: "hall-figure-name" }, label);
  const element = h("div", { class: "hall-headline" }, value, name);
  return {
    element,
    /** @param {string} text
     * @param {"look"|null} level
     * @param {string} fitting another size, where the figure is long */
    update(text, level = null, fitting = size) {
      setText(value, text);
      setAttribute(value, "data-size", fitting);
      setAttribute(value, "data-level", level);
    },
    rename: (text) => setText(name, text),
  };
}

/** Which part of a list is shown, or how many are not. */
export function partText({ page, pages, others }, turn, t) {
  if (pages === 1) return "";
  return turn === null ? t("list.others", { count: others }) : t("list.page", { page: page + 1, pages });
}

/** Words in the place of what is not there yet. */
export function emptyWords() {
  const element = h("p", { class: "hall-empty" });
  return {
    element,
    /** @param {string|null} text null: there is something, and `list` shows it */
    update(text, list) {
      setText(element, text ?? "");
      element.hidden = text === null;
      list.hidden = text !== null;
    },
  };
}

/** A bar whose length is a share of its room. */
export function bar() {
  const filled = h("i");
  const element = h("span", { class: "hall-bar", "aria-hidden": "true" }, filled);
  let shown = "";
  return {
    element,
    update(share) {
      const width = `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`;
      if (width === shown) return;
      shown = width;
      filled.style.width = width;
    },
  };
}

/** Places for as many rows as fit; they are made once, filled anew, and never move.
 * @param {() => {element: Element, update: (item: object) => void}} make */
export function places(parent, number, make) {
  const rows = Array.from({ length: number }, make);
  parent.append(...rows.map(({ element }) => element));
  return (items) =>
    rows.forEach((row, index) => {
      setAttribute(row.element, "data-empty", items[index] ? null : "");
      if (items[index]) row.update(items[index], index);
    });
}

/** Fades a list in when another part of it is shown. */
export function fader(element) {
  let page = 0;
  return (next) => {
    if (next === page) return;
    page = next;
    // Starting the same animation over needs another name each time; it is never more than two.
    setAttribute(element, "data-turned", next % 2 === 0 ? "even" : "odd");
  };
}
