// The panel of districts: a tile for each, always in the same place.
//
// In: figures of the day. Out: a panel. Not known here: where districts lie.

import { h, setAttribute, setText } from "../dom.js";
import { districtRows } from "./comparing.js";
import { bar, emptyWords, fader, panel, partText, places } from "./frame.js";
import { count, trendText } from "./saying.js";
import { partOf } from "./turning.js";

const FEW = 6;
const FITS = 8;

export function mountDistricts(t) {
  const grid = h("ol", { class: "tiles" });
  const fill = places(grid, FITS, () => tile(t));
  const empty = emptyWords();
  const { element, note } = panel("districts", t("districts.title"), grid, empty.element);
  const fade = fader(grid);

  function update({ day, figures, nowMs, turn }) {
    const all = districtRows(day, figures, nowMs);
    const part = partOf(all, FITS, turn);
    setAttribute(grid, "data-many", all.length > FEW ? "" : null);
    fill(part.shown);
    setText(note, partText(part, turn, t));
    fade(part.page);
    empty.update(all.length === 0 ? t("districts.none") : null, grid);
  }

  return { element, update };
}

function tile(t) {
  const name = h("span", { class: "tile-name" });
  const number = h("strong");
  const word = h("span", { class: "hall-trend" });
  const length = bar();
  const element = h("li", { class: "tile" }, name, number, word, length.element);
  return {
    element,
    update(row) {
      setText(name, row.name);
      setText(number, count(row.count));
      setText(word, trendText(row.trend, t));
      setAttribute(word, "data-level", row.trend.isToLookAt ? "look" : null);
      setAttribute(element, "data-level", row.trend.isToLookAt ? "look" : null);
      length.update(row.share);
    },
  };
}
