// A list as a table: rows that stay the same elements, keys to walk through them, and what stands there without any.
//
// In: columns, items. Out: a table, and calls of `onOpen`. Not known here: what the items are.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { skeleton } from "../parts.js";

/** @typedef {{text: string, sub?: string, subMark?: string, mark?: string, title?: string}} Cell marks colour a
 * text that says it too */

/** @param {{label: string, columns: Array<{name: string, label: string, cell: (item) => Cell|string}>,
 *   key: (item) => string, onOpen?: (item) => void}} how without `onOpen` the rows are only to be read */
export function mountTable(t, { label, columns, key, onOpen }) {
  const body = h("tbody");
  const head = columns.map(({ name, label: words }) =>
    h("th", { scope: "col", class: `col-${name}` }, words),
  );
  const table = h(
    "table",
    { class: "sys-table", "aria-label": label },
    h("thead", {}, h("tr", {}, ...head)),
    body,
  );
  const said = h("div", { class: "sys-said", hidden: true });
  const element = h(
    "div",
    { class: "sys-scroll", tabindex: onOpen ? null : "0", role: "region", "aria-label": label },
    table,
    said,
  );
  let items = [];
  let chosen = null;
  let stop = null;

  const draw = keyedRows(body, {
    key: ({ item }) => key(item),
    create: ({ item }) => createRow(key(item)),
    update: updateRow,
  });

  function createRow(name) {
    const cells = columns.map((column, place) => {
      const isLink = place === 0 && onOpen;
      const text = isLink ? h("button", { type: "button", class: "row-link" }) : h("span");
      return h("td", { class: `col-${column.name}` }, text, h("small"));
    });
    const row = h("tr", {}, ...cells);
    if (onOpen) {
      row.addEventListener("click", () => onOpen(items.find((item) => key(item) === name)));
      row.addEventListener("focusin", () => settle(name));
    }
    return row;
  }

  function updateRow(row, { item, isChosen, isStop }) {
    setAttribute(row, "data-current", isChosen ? "true" : null);
    columns.forEach((column, place) => {
      const shown = column.cell(item);
      const cell = typeof shown === "string" ? { text: shown } : shown;
      const { text, sub = "", subMark = null, mark = null, title = null } = cell;
      const [main, small] = row.children[place].children;
      setText(main, text);
      setText(small, sub);
      setAttribute(small, "data-mark", subMark);
      setAttribute(main, "data-mark", mark);
      setAttribute(row.children[place], "title", title);
      if (main.tagName !== "BUTTON") return;
      setAttribute(main, "tabindex", isStop ? "0" : "-1");
      setAttribute(main, "aria-current", isChosen ? "true" : null);
    });
  }

  function redraw() {
    const names = items.map(key);
    if (!names.includes(stop)) stop = names.includes(chosen) ? chosen : names[0];
    draw(
      items.map((item, place) => ({
        item,
        isChosen: names[place] === chosen,
        isStop: names[place] === stop,
      })),
    );
  }

  function settle(name) {
    if (stop === name) return;
    stop = name;
    redraw();
  }

  /** Show items; `current` is the key of the one that is open beside the list. */
  function show(next, current = null) {
    items = next;
    chosen = current;
    said.hidden = true;
    table.hidden = false;
    setAttribute(element, "aria-busy", null);
    redraw();
  }

  /** Say something in place of the rows. */
  function say(words) {
    items = [];
    redraw();
    said.replaceChildren(words);
    said.hidden = false;
    setAttribute(element, "aria-busy", null);
  }

  /** Bars where nothing is there yet; rows that are there stay until the new ones come. */
  function wait() {
    setAttribute(element, "aria-busy", "true");
    if (items.length > 0) return;
    said.replaceChildren(skeleton(6));
    said.hidden = false;
  }

  /** One row on or back, from wherever the focus is. */
  function move(by) {
    if (!onOpen || items.length === 0) return false;
    const isHere = element.contains(document.activeElement);
    const place = items.findIndex((item) => key(item) === stop);
    const next = isHere ? Math.min(items.length - 1, Math.max(0, place + by)) : Math.max(0, place);
    const link = body.children[next].querySelector(".row-link");
    link.focus();
    link.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** The item whose row has the focus. */
  function focused() {
    return element.contains(document.activeElement) ? items.find((item) => key(item) === stop) : undefined;
  }

  return { element, show, say, wait, move, focused, focus: () => move(0) };
}
