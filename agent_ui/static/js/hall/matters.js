// The panel of what people ask about most, each with the course of its day and beside a usual one.
//
// In: figures of the day. Out: a panel. Not known here: what a matter is.

import { h, setAttribute, setText } from "../dom.js";
import { matterRows } from "./comparing.js";
import { emptyWords, fader, panel, partText, places } from "./frame.js";
import { count, trendText } from "./saying.js";
import { createOrder, partOf } from "./turning.js";

const FITS = 5;
const MOST = 10;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 40;

export function mountMatters(t) {
  const list = h("ol", { class: "matter-rows" });
  const fill = places(list, FITS, () => matterRow(t));
  const empty = emptyWords();
  const { element, note } = panel("matters", t("matters.title"), list, empty.element);
  const fade = fader(list);
  const order = createOrder();

  function update({ day, figures, nowMs, turn, round }) {
    const all = order(matterRows(day, figures, nowMs, MOST), round);
    const part = partOf(all, FITS, turn);
    fill(part.shown.map((row, index) => ({ ...row, place: part.first + index + 1 })));
    setText(note, partText(part, turn, t));
    fade(part.page);
    empty.update(all.length === 0 ? t("matters.none") : null, list);
  }

  return { element, update };
}

function matterRow(t) {
  const place = h("span", { class: "matter-place" });
  const name = h("span", { class: "matter-name" });
  const course = mountCourse();
  const number = h("b");
  const word = h("span", { class: "hall-trend" });
  return {
    element: h("li", {}, place, name, course.element, number, word),
    update(row) {
      setText(place, String(row.place));
      setText(name, row.name);
      course.update(row.course);
      setText(number, count(row.count));
      setText(word, trendText(row.trend, t));
      setAttribute(word, "data-level", row.trend.isToLookAt ? "look" : null);
    },
  };
}

/** A small line of hourly figures. */
function mountCourse() {
  const element = document.createElementNS(SVG, "svg");
  element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  element.setAttribute("preserveAspectRatio", "none");
  element.setAttribute("class", "course");
  element.setAttribute("aria-hidden", "true");
  const area = document.createElementNS(SVG, "polygon");
  const line = document.createElementNS(SVG, "polyline");
  element.append(area, line);
  return {
    element,
    /** @param {Array<number>} course one hour alone has no course */
    update(course) {
      const points = course.length < 2 ? "" : coursePoints(course, WIDTH, HEIGHT);
      setAttribute(line, "points", points);
      setAttribute(area, "points", points && `0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`);
    },
  };
}

/** @returns {string} the points of a line through the figures that fills the box but for its own breadth */
export function coursePoints(figures, width, height) {
  const most = Math.max(1, ...figures);
  const step = width / Math.max(1, figures.length - 1);
  const margin = 2;
  const y = (figure) => height - margin - (figure / most) * (height - 2 * margin);
  return figures.map((figure, index) => `${(index * step).toFixed(1)},${y(figure).toFixed(1)}`).join(" ");
}
