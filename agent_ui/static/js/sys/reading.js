// The state of the machine as people read it.
//
// In: rows of the server. Out: short texts, what needs a look, how old the reading is.
// Not known here: the document, the server.

import { duration } from "../format.js";
import { many, moment } from "../parts.js";

/** Disks are counted in thousands, as they are sold and as the settings say; memory is not. */
const STEP_OF = { disk: 1000 };
const UNITS = ["B", "KB", "MB", "GB", "TB"];
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
/** Two readings may fail before it is said that the page is behind. */
export const STALE_MS = 12_000;

/** @returns {string} "12.3 GB" */
export function bytes(count, step = 1024) {
  let rest = count;
  let place = 0;
  while (Math.abs(rest) >= step && place < UNITS.length - 1) {
    rest /= step;
    place += 1;
  }
  return `${place === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${UNITS[place]}`;
}

/** @returns {string} "3天4小时", "2小时5分", "3分12秒", "0.4秒" */
export function span(seconds, language) {
  const whole = Math.floor(seconds);
  const [days, hours, minutes] = [DAY_S, HOUR_S, 60].map((unit) => Math.floor(whole / unit));
  const en = language === "en";
  if (days > 0) return en ? `${days}d ${hours % 24}h` : `${days}天${hours % 24}小时`;
  if (hours > 0) return en ? `${hours}h ${minutes % 60}m` : `${hours}小时${minutes % 60}分`;
  if (seconds > 0 && seconds < 10) return `${seconds.toFixed(1)}${en ? "s" : "秒"}`;
  return duration(seconds, language);
}

/** One row's value; "—" where there is none. */
export function shownValue({ value, unit, limit }, t, section = "") {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return t(value ? "state.yes" : "state.no");
  if (unit === "time") return moment(value, t);
  if (typeof value === "string") return value;
  const shown = amount(value, unit, t, section);
  if (limit === null || limit === undefined) return shown;
  // Bytes that are left have a least, everything else a most.
  if (unit === "bytes") return t("state.atLeast", { value: shown, limit: amount(limit, unit, t, section) });
  return t("state.outOf", { value: shown, limit: amount(limit, unit, t, section) });
}

function amount(value, unit, t, section) {
  if (unit === "bytes") return bytes(value, STEP_OF[section]);
  if (unit === "share") return `${Math.round(value * 100)}%`;
  if (unit === "s") return span(value, t.language);
  return many(value, t);
}

/** Rows that need a look, the bad ones first.
 * @returns {Array<{section: string, row: object}>} */
export function issuesOf(state) {
  const all = state.sections.flatMap((section) =>
    section.rows.filter((row) => row.level !== "ok").map((row) => ({ section: section.name, row })),
  );
  return [...all.filter(({ row }) => row.level === "bad"), ...all.filter(({ row }) => row.level !== "bad")];
}

/** What a section or row is called; the server's own name where this page does not know it. */
export function nameOf(t, section, row) {
  const key = row === undefined ? `state.${section}` : `state.${section}.${row}`;
  return t.knows(key) ? t(key) : (row ?? section);
}

/** How old the reading is, in whole seconds by this PC's own clock. */
export function ageS(readMs, nowMs) {
  return Math.max(0, Math.floor((nowMs - readMs) / 1000));
}
