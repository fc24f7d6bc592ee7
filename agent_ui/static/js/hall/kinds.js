// The panel of types and categories.
//
// In: figures of the day. Out: a panel. Not known here: how calls come to have a type.

import { h, setAttribute, setText } from "../dom.js";
import { categoryRows, typeRows, TYPES } from "./comparing.js";
import { bar, emptyWords, fader, panel, partText, places } from "./frame.js";
import { count, trendText, wholePercent } from "./saying.js";
import { createOrder, partOf } from "./turning.js";

const CATEGORIES = 5;

export function mountKinds(t) {
  const types = h("ol", { class: "bar-rows", "data-short": "" });
  const categories = h("ol", { class: "bar-rows" });
  const fillTypes = places(types, TYPES.length, () =>
    barRow(
      (name) => t(`type.${name}`),
      ({ share }) => wholePercent(share),
    ),
  );
  const fillCategories = places(categories, CATEGORIES, () =>
    barRow(
      (name) => name,
      ({ trend }) => trendText(trend, t),
    ),
  );
  const unknown = h("span", { class: "hall-note" });
  const empty = emptyWords();
  const head = h("h2", {}, t("kinds.categories"));
  const { element, note } = panel(
    "kinds",
    t("kinds.title"),
    h("div", { class: "kinds" }, h("div", {}, unknown, types), h("div", {}, head, categories, empty.element)),
  );
  const fade = fader(categories);
  const order = createOrder();

  function update({ day, figures, nowMs, turn, round }) {
    const rows = typeRows(figures);
    const most = Math.max(1, ...rows.map((row) => row.count));
    fillTypes(rows.map((row) => ({ ...row, length: row.count / most })));
    const sorted = rows.reduce((sum, row) => sum + row.count, 0);
    const left = figures.calls - sorted;
    setText(unknown, left > 0 && figures.calls > 0 ? t("kinds.unknown", { count: count(left) }) : "");
    const all = order(categoryRows(day, figures, nowMs), round);
    const part = partOf(all, CATEGORIES, turn);
    const largest = Math.max(1, ...all.map((row) => row.count));
    fillCategories(part.shown.map((row) => ({ ...row, length: row.count / largest })));
    setText(note, partText(part, turn, t));
    fade(part.page);
    empty.update(all.length === 0 ? t("kinds.none") : null, categories);
  }

  return { element, update };
}

/** A name, a bar, a figure, and a word about it. */
function barRow(nameOf, wordOf) {
  const name = h("span", { class: "hall-name" });
  const length = bar();
  const number = h("b");
  const word = h("span", { class: "hall-trend" });
  return {
    element: h("li", {}, name, length.element, number, word),
    update(row) {
      setText(name, nameOf(row.name));
      length.update(row.length);
      setText(number, count(row.count));
      setText(word, wordOf(row));
      setAttribute(word, "data-level", row.trend?.isToLookAt ? "look" : null);
    },
  };
}
