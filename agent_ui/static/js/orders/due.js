// A deadline in words.
//
// In: an order, the moment it is. Out: a few words, and how pressing it is. Not known here: the document.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @returns {{text: string, level: "bad"|"look"|null}} empty where nobody is waited for */
export function dueWords(order, nowMs, t) {
  if (order.state === "suspended") return { text: t("due.held"), level: null };
  if (!["dispatched", "handling"].includes(order.state) || order.due_at === null) return { text: "", level: null };
  const leftMs = Date.parse(order.due_at) - nowMs;
  const isLate = leftMs < 0;
  const text = t(isLate ? "due.late" : "due.left", { time: span(Math.abs(leftMs), t) });
  return { text, level: isLate ? "bad" : leftMs < DAY ? "look" : null };
}

/** Minutes up to an hour, hours up to two days, then days; never more than there is. */
function span(ms, t) {
  if (ms < HOUR) return t("due.minutes", { n: Math.max(1, Math.floor(ms / MINUTE)) });
  return ms < 2 * DAY ? t("due.hours", { n: Math.floor(ms / HOUR) }) : t("due.days", { n: Math.floor(ms / DAY) });
}
