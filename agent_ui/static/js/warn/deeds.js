// What may be done with a warning: keys, boxes, bodies of requests. Pure.
//
// In: warnings, what is typed. Out: names, questions to the server, bodies. Not known here: the document.

/** The deeds in the order in which they stand, each with its key; those with `takes` open a form. */
export const DEEDS = Object.freeze({
  acknowledge: { key: "A" },
  assign: { key: "T", takes: true },
  mute: { key: "S", takes: true },
  close: { key: "C", takes: true },
  reopen: { key: "O" },
});
/** The keys that rate, each with what it says. */
export const RATINGS = Object.freeze({ Y: true, N: false });
export const LAYERS = ["known", "unknown", "safety"];

/** The boxes of the page, each with the states that are in it. */
export const BOXES = Object.freeze({
  open: ["open"],
  seen: ["acknowledged", "assigned"],
  muted: ["muted"],
  closed: ["closed"],
  all: [],
});

/** How many warnings a box holds. */
export function countOf(box, counts) {
  const states = BOXES[box].length > 0 ? BOXES[box] : Object.keys(counts);
  return states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** What the server is asked for a box and filters. */
export function questionOf(box, { q = "", layer = "", district = "", rated = "" } = {}) {
  const rating = { true: { is_true: true }, false: { is_true: false }, none: { is_rated: false } }[rated] ?? {};
  return { state: BOXES[box], q: q || null, layer: layer || null, district: district || null, ...rating };
}

/** What an address asks for: a box and perhaps a warning of it; mails name the warning alone. */
export function placeOf(hash) {
  const [first, second = null] = decodeURIComponent(hash.replace(/^#/, "")).split("/");
  if (first in BOXES) return { box: first, id: second };
  return /^Y\d/.test(first) ? { box: "all", id: first } : { box: "open", id: null };
}

/** Until when something is muted, by a choice. @param {Date} now in the browser's own time */
export function muteUntil(choice, now) {
  const until = new Date(now);
  if (choice === "tomorrow") {
    until.setDate(until.getDate() + 1);
    until.setHours(8, 0, 0, 0);
  } else until.setHours(until.getHours() + Number(choice));
  return until.toISOString();
}

/** The body of a step out of what is typed. */
export function bodyOf(deed, typed, now) {
  const note = typed.note ? { note: typed.note } : {};
  if (deed === "mute") {
    return { deed, until: muteUntil(typed.until ?? "24", now), is_everywhere: typed.isEverywhere ?? false, ...note };
  }
  if (deed === "assign" && typed.way === "join") return { deed, order_id: (typed.orderId ?? "").trim(), ...note };
  if (deed === "assign") {
    return {
      deed,
      new_order: {
        department_id: typed.departmentId || null,
        urgency: typed.urgency ?? "紧急",
        detail: typed.detail ?? "",
        is_dispatched: typed.isDispatched ?? true,
      },
    };
  }
  return { deed, ...note };
}
