// Every figure of the board, counted from the rows of the day as docs/hall.md says and the server does.
//
// In: a day and the present. Out: plain figures under the names of the wire.
// Not known here: the document, words, how the rows came.

const HOUR_MS = 3_600_000;
const HOURS = 24;
const STATES = ["waiting", "talking", "wrapup", "ended", "abandoned"];
/** Who called before midnight and is still there counts as there, but not as one of today's. */
const NOW = new Set(["waiting", "talking", "wrapup"]);

/**
 * @typedef {Object} Figures
 * @property {number} calls
 * @property {number} waiting
 * @property {number} talking
 * @property {number} wrapup
 * @property {number} ended
 * @property {number} abandoned
 * @property {number} answered
 * @property {number|null} share_answered
 * @property {number|null} mean_wait_s
 * @property {number} longest_wait_s
 * @property {number} urgent
 * @property {Array<number>} hours
 * @property {Map<string, number>} types
 * @property {Map<string, number>} categories
 * @property {Map<string, number>} districts
 * @property {Map<string, number>} matters
 * @property {number|null} usual_so_far
 * @property {number|null} usual_day
 */

/** @param {import("./reduce.js").Day} day
 * @param {number} nowMs the server's present
 * @returns {Figures} */
export function figures(day, nowMs) {
  const states = Object.fromEntries(STATES.map((state) => [state, 0]));
  const named = { type: new Map(), category: new Map(), district: new Map(), matter: new Map() };
  const hours = Array(HOURS).fill(0);
  let answered = 0;
  let waitedMs = 0;
  let longestMs = 0;
  let urgent = 0;
  let calls = 0;
  for (const row of day.rows.values()) {
    const isToday = isOfDay(row, day);
    if (isToday || NOW.has(row.state)) states[row.state] += 1;
    if (row.state === "waiting") longestMs = Math.max(longestMs, nowMs - Date.parse(row.arrived_at));
    if (!isToday) continue;
    calls += 1;
    hours[hourOf(row.arrived_at)] += 1;
    if (row.is_urgent) urgent += 1;
    if (row.answered_at !== null) {
      answered += 1;
      waitedMs += Date.parse(row.answered_at) - Date.parse(row.arrived_at);
    }
    for (const key of Object.keys(named)) if (row[key] !== "") addOne(named[key], row[key]);
  }
  const decided = answered + states.abandoned;
  const isKnown = day.usual.days > 0;
  return {
    calls,
    ...states,
    answered,
    share_answered: day.hasQueue && decided > 0 ? answered / decided : null,
    mean_wait_s: day.hasQueue && answered > 0 ? waitedMs / answered / 1000 : null,
    longest_wait_s: longestMs / 1000,
    urgent,
    hours,
    types: ranked(named.type),
    categories: ranked(named.category),
    districts: ranked(named.district),
    matters: ranked(named.matter),
    usual_so_far: isKnown ? soFar(day.usual.calls, day, nowMs) : null,
    usual_day: isKnown ? day.usual.calls.reduce((sum, one) => sum + one, 0) : null,
  };
}

/** Whether a call came in on the day of the board. */
export function isOfDay(row, day) {
  const arrivedMs = Date.parse(row.arrived_at);
  return arrivedMs >= Date.parse(day.from) && arrivedMs < Date.parse(day.until);
}

/** The part of 24 hourly figures that is over: whole hours, and of this hour the part that has passed.
 * @param {Array<number>} hourly */
export function soFar(hourly, day, nowMs) {
  if (nowMs <= Date.parse(day.from)) return 0;
  if (nowMs >= Date.parse(day.until)) return hourly.reduce((sum, one) => sum + one, 0);
  const { hour, part } = wallClock(day.at, nowMs);
  return hourly.slice(0, hour).reduce((sum, one) => sum + one, 0) + (hourly[hour] ?? 0) * part;
}

/** The hour of the city's day, and which part of it has passed; `at` says how far the city is from UTC. */
export function wallClock(at, nowMs) {
  const wallMs = nowMs + offsetMs(at);
  const hours = wallMs / HOUR_MS;
  const hour = ((Math.floor(hours) % HOURS) + HOURS) % HOURS;
  return { hour, part: hours - Math.floor(hours) };
}

/** @returns {number} 0 to 23: the hour as it is written in a moment of the city */
export function hourOf(at) {
  return Number(at.slice(11, 13));
}

function offsetMs(at) {
  const found = /([+-])(\d\d):(\d\d)$/.exec(at);
  if (found === null) return 0;
  return (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) * 60_000;
}

function addOne(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Most first, then by name. */
function ranked(counts) {
  return new Map([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
