// What figures say beside those of a usual day.
//
// In: a day, its figures and the present. Out: what the panels show: rows in order, each with its trend.
// Not known here: the document, words.

import { isOfDay, soFar } from "./figures.js";

const HOUR_MS = 3_600_000;
const COURSE_HOURS = 12;
export const TYPES = Object.freeze(["咨询", "求助", "投诉", "建议", "举报"]);
/** Standard deviations of a Poisson count: less is what chance does, more is worth a look. */
const BY_CHANCE = 1.5;
const WORTH_A_LOOK = 3;
const LEAST_TO_LOOK_AT = 5;
/** Days differ by more than chance: a few per cent more of something large is nothing to look at. */
const SHARE_TO_LOOK_AT = 0.25;
/** From twice as many on people say "times" and not "per cent more". */
const SAID_IN_TIMES = 2;

/**
 * @typedef {Object} Trend
 * @property {"none"|"new"|"same"|"up"|"down"} way "none": there is no usual day; "new": it has none of this
 * @property {number} percent more than usual, or less where it is negative
 * @property {number|null} times as many as usual, from twice as many on
 * @property {boolean} isToLookAt far above what is usual
 */

/** @param {number} count
 * @param {number|null} usual what is usual up to now; null where there is no usual day
 * @returns {Trend} */
export function trendOf(count, usual) {
  if (usual === null) return { way: "none", percent: 0, times: null, isToLookAt: false };
  const spread = Math.sqrt(Math.max(usual, 1));
  const more = count - usual;
  const isToLookAt = more >= Math.max(WORTH_A_LOOK * spread, LEAST_TO_LOOK_AT, usual * SHARE_TO_LOOK_AT);
  if (Math.abs(more) < BY_CHANCE * spread) return { way: "same", percent: 0, times: null, isToLookAt: false };
  // Beside next to nothing a ratio says nothing.
  if (usual < 1) return { way: "new", percent: 0, times: null, isToLookAt };
  const ratio = count / usual;
  return {
    way: more > 0 ? "up" : "down",
    percent: Math.round((ratio - 1) * 100),
    times: ratio >= SAID_IN_TIMES ? ratio : null,
    isToLookAt,
  };
}

/** @returns {number|null} the part of a name's usual day that is over; null where there is no usual day */
export function usualOf(day, names, name, nowMs) {
  if (day.usual.days === 0) return null;
  return Object.hasOwn(names, name) ? soFar(names[name], day, nowMs) : 0;
}

/** The types in their order, whatever they count.
 * @returns {Array<{name: string, count: number, share: number}>} `share` is of all rows that have a type */
export function typeRows({ types }) {
  const all = [...types.values()].reduce((sum, one) => sum + one, 0);
  return TYPES.map((name) => {
    const count = types.get(name) ?? 0;
    return { name, count, share: all > 0 ? count / all : 0 };
  });
}

/** @returns {Array<{name: string, count: number, trend: Trend}>} most first */
export function categoryRows(day, { categories }, nowMs) {
  return [...categories].map(([name, count]) => ({
    name,
    count,
    trend: trendOf(count, usualOf(day, day.usual.categories, name, nowMs)),
  }));
}

/** @param {number} most how many are asked for
 * @returns {Array<{name: string, count: number, trend: Trend, course: Array<number>}>} most first; `course`
 *   counts whole hours back from the present, the oldest first: none is lower because it has only begun */
export function matterRows(day, { matters }, nowMs, most) {
  const top = [...matters].slice(0, most);
  const length = Math.min(COURSE_HOURS, Math.floor((nowMs - Date.parse(day.from)) / HOUR_MS));
  const courses = new Map(top.map(([name]) => [name, Array(Math.max(0, length)).fill(0)]));
  for (const row of day.rows.values()) {
    const course = courses.get(row.matter);
    if (course === undefined || !isOfDay(row, day)) continue;
    const place = length - 1 - Math.floor((nowMs - Date.parse(row.arrived_at)) / HOUR_MS);
    if (place >= 0) course[Math.min(place, length - 1)] += 1;
  }
  return top.map(([name, count]) => ({
    name,
    count,
    trend: trendOf(count, usualOf(day, day.usual.matters, name, nowMs)),
    course: courses.get(name),
  }));
}

/** Districts in an order that stays the same all day: by their usual calls, then by name. One that nobody has
 * called from today is there as well, where people usually do.
 * @returns {Array<{name: string, count: number, share: number, trend: Trend}>} `share` is of the largest one */
export function districtRows(day, { districts }, nowMs) {
  const usual = day.usual.districts;
  const weight = (name) => (usual[name] ?? []).reduce((sum, one) => sum + one, 0);
  const names = [...new Set([...Object.keys(usual), ...districts.keys()])];
  names.sort((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1));
  const most = Math.max(1, ...districts.values());
  return names.map((name) => {
    const count = districts.get(name) ?? 0;
    return { name, count, share: count / most, trend: trendOf(count, usualOf(day, usual, name, nowMs)) };
  });
}

/** How many of those who said what they think were satisfied.
 * @returns {{share: number|null, said: number, parts: Object<string, number>}} `parts` are of those who said so */
export function satisfaction({ satisfied, neutral, unsatisfied }) {
  const said = satisfied + neutral + unsatisfied;
  const part = (count) => (said > 0 ? count / said : 0);
  return {
    share: said > 0 ? satisfied / said : null,
    said,
    parts: { satisfied: part(satisfied), neutral: part(neutral), unsatisfied: part(unsatisfied) },
  };
}
