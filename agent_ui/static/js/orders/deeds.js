// What may be done with an order: keys, what each deed takes, what keeps it from being sent.
//
// In: the deeds that the server allows, what is typed. Out: deeds in the order of their buttons, faults, bodies.
// Not known here: which deed follows which state, the document.

/** In the order of the buttons, the usual next step first. `takes` are fields of the form; `needs` those that
 * must be filled. */
export const DEEDS = {
  accept: { key: "A", takes: [], needs: [] },
  dispatch: { key: "D", takes: ["department_id", "note"], needs: ["department_id"] },
  take: { key: "T", takes: [], needs: [] },
  answer: { key: "W", takes: ["answer"], needs: ["answer"] },
  answer_at_once: { key: "W", takes: ["answer"], needs: ["answer"] },
  follow_up: { key: "F", takes: ["satisfaction", "note"], needs: ["satisfaction"] },
  close: { key: "C", takes: ["note"], needs: [] },
  rework: { key: "G", takes: ["note"], needs: ["note"] },
  send_back: { key: "B", takes: ["note"], needs: ["note"] },
  suspend: { key: "S", takes: ["note"], needs: ["note"] },
  resume: { key: "S", takes: [], needs: [] },
  merge: { key: "M", takes: ["into", "note"], needs: ["into"] },
};
export const SATISFACTIONS = ["satisfied", "neutral", "unsatisfied", "unreached"];

/** The deeds of an order in the order of their buttons. */
export const deedsOf = (order) => Object.keys(DEEDS).filter((name) => order.deeds.includes(name));

/** The one that comes next as a rule; null where somebody else has to do something. */
export function usualOf(order) {
  const [first] = deedsOf(order);
  return first === undefined || ["rework", "send_back", "suspend", "merge"].includes(first) ? null : first;
}

/** The deed of an order for a key. */
export function deedOfKey(order, key) {
  return deedsOf(order).find((name) => DEEDS[name].key === key) ?? null;
}

/** @returns {string|null} the field that is missing */
export function missingOf(deed, typed) {
  return DEEDS[deed].needs.find((name) => (typed[name] ?? "").trim() === "") ?? null;
}

/** What is sent. */
export function bodyOf(deed, typed) {
  const given = DEEDS[deed].takes.filter((name) => (typed[name] ?? "").trim() !== "");
  return { deed, ...Object.fromEntries(given.map((name) => [name, typed[name].trim()])) };
}
