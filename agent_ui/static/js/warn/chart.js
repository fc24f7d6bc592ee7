// A small chart of a warning's hours: callers as bars, what is usual as a line.
//
// In: hours as the server tells them. Out: where everything stands (pure), and an SVG of it.
// Not known here: the warning, the server.

import { h } from "../dom.js";
import { zone } from "../format.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 512;
const HEIGHT = 132;
const LEFT = 28;
const BOTTOM = 20;
const TOP = 8;
const HOUR_MS = 3_600_000;

/** The next whole number of the kind 1, 2, 5, 10, 20, … that is not below. */
export function roundUp(most) {
  for (let size = 1; ; size *= 10) for (const step of [1, 2, 5]) if (step * size >= most) return step * size;
}

/** Where bars, line and labels stand.
 * @param {Array<{at: string, callers: number, expected: number|null}>} hours
 * @returns {{top: number, bars: Array<object>, line: string, days: Array<{x: number, at: string}>, y: (n: number) => number}} */
export function layoutOf(hours, { hourOf = localHour } = {}) {
  const top = roundUp(Math.max(3, ...hours.map(({ callers, expected }) => Math.max(callers, expected ?? 0))));
  const step = (WIDTH - LEFT) / Math.max(1, hours.length);
  const y = (n) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - n / top);
  const bars = hours.map(({ callers }, place) => ({
    x: LEFT + place * step + step * 0.1,
    y: y(callers),
    width: step * 0.8,
    height: y(0) - y(callers),
  }));
  const known = hours.every(({ expected }) => expected !== null);
  const points = hours.map(({ expected }, place) => `${(LEFT + (place + 0.5) * step).toFixed(1)},${y(expected ?? 0).toFixed(1)}`);
  const days = hours.flatMap(({ at }, place) => (hourOf(at) === 0 ? [{ x: LEFT + place * step, at }] : []));
  return { top, bars, line: known && hours.length > 1 ? points.join(" ") : "", days, y, step };
}

function localHour(at) {
  return Number(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", hourCycle: "h23" }).format(new Date(at)));
}

/** @param {{hours: Array<object>, raisedAt: string}} what */
export function chartOf(t, { hours, raisedAt }) {
  const { top, bars, line, days, y, step } = layoutOf(hours);
  const day = new Intl.DateTimeFormat(t.language === "en" ? "en-GB" : "zh-CN", { timeZone: zone, month: "numeric", day: "numeric" });
  const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const total = hours.reduce((sum, hour) => sum + hour.callers, 0);
  const most = hours.reduce((best, hour) => (hour.callers > best.callers ? hour : best), hours[0]);
  const raised = (Date.parse(raisedAt) - Date.parse(hours[0].at)) / HOUR_MS;
  const x = LEFT + raised * step;
  const label = t("chart.label", { hours: hours.length, total, most: most.callers, at: clock.format(new Date(most.at)) });
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "warn-chart" });
  for (const tick of [0, top / 2, top]) {
    if (!Number.isInteger(tick)) continue;
    svg.append(
      draw("line", { x1: LEFT, x2: WIDTH, y1: y(tick), y2: y(tick), class: "grid" }),
      draw("text", { x: LEFT - 6, y: y(tick) + 4, class: "tick", "text-anchor": "end" }, String(tick)),
    );
  }
  for (const { x: left, at } of days) {
    svg.append(
      draw("line", { x1: left, x2: left, y1: TOP, y2: y(0), class: "day" }),
      draw("text", { x: Math.min(left + 4, WIDTH - 36), y: HEIGHT - 4, class: "tick" }, day.format(new Date(at))),
    );
  }
  bars.forEach((bar, place) => {
    const { at, callers, expected } = hours[place];
    const words = { time: clock.format(new Date(at)), callers, expected: expected === null ? "—" : expected.toFixed(1) };
    const one = draw("rect", { ...bar, class: callers > (expected ?? 0) ? "bar more" : "bar" });
    one.append(draw("title", {}, t("chart.hour", words)));
    svg.append(one);
  });
  if (line) svg.append(draw("polyline", { points: line, class: "usual" }));
  if (x >= LEFT && x <= WIDTH) svg.append(draw("line", { x1: x, x2: x, y1: TOP, y2: y(0), class: "raised" }));
  return h(
    "figure",
    { class: "warn-figure" },
    svg,
    h(
      "figcaption",
      {},
      h("span", { class: "key-bar" }, t("chart.callers")),
      line ? h("span", { class: "key-usual" }, t("chart.usual")) : "",
      x >= LEFT && x <= WIDTH ? h("span", { class: "key-raised" }, t("chart.raised")) : "",
    ),
  );
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
