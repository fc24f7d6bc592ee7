// What the board knows of its day, as a fold of what it was told.
//
// In: a state and one event of the wire (docs/hall.md). Out: the next state, the same object where nothing
// changed. Not known here: sockets, the document, the time of day, what is counted.

/**
 * @typedef {Object} Row
 * @property {string} call_key
 * @property {"waiting"|"talking"|"wrapup"|"ended"|"abandoned"} state
 * @property {string} arrived_at
 * @property {string|null} answered_at
 * @property {string|null} ended_at
 * @property {string} type
 * @property {string} category
 * @property {string} matter
 * @property {string} district
 * @property {boolean} is_urgent
 */

/**
 * @typedef {Object} Day
 * @property {boolean} isLoaded there was a snapshot
 * @property {number} seq of the last event that was taken in
 * @property {boolean} isWhole false once an event was missed, until a snapshot comes
 * @property {string|null} at the server's present in the last event
 * @property {string|null} day
 * @property {string|null} from
 * @property {string|null} until
 * @property {number} speed how many seconds of the day pass in one second
 * @property {boolean} isSimulated
 * @property {boolean} hasQueue
 * @property {{days: number, kind: string, calls: Array<number>, share_answered: number|null, categories: object,
 *   districts: object, matters: object}} usual
 * @property {Map<string, Row>} rows never changed in place
 * @property {object|null} orders
 * @property {Array<object>} warnings
 */

const NO_USUAL = Object.freeze({
  days: 0,
  kind: "",
  calls: [],
  share_answered: null,
  categories: {},
  districts: {},
  matters: {},
});

/** @returns {Day} before anything was said */
export function emptyDay() {
  return {
    isLoaded: false,
    seq: 0,
    isWhole: true,
    at: null,
    day: null,
    from: null,
    until: null,
    speed: 1,
    isSimulated: false,
    hasQueue: false,
    usual: NO_USUAL,
    rows: new Map(),
    orders: null,
    warnings: [],
  };
}

/** @param {Day} state
 * @returns {Day} with one event taken in; one that was seen before changes nothing */
export function reduce(state, event) {
  if (event.type === "hall.snapshot") return snapshot(state, event);
  if (!state.isLoaded) return state;
  if (event.type === "hall.tick") return { ...state, at: event.at };
  if (!(event.type in ON) || event.seq <= state.seq) return state;
  const isWhole = state.isWhole && event.seq === state.seq + 1;
  return { ...state, ...ON[event.type](state, event), seq: event.seq, at: event.at, isWhole };
}

const ON = {
  "hall.calls": (state, event) => ({
    rows: withRows(state.rows, event.calls, event.gone),
    hasQueue: event.has_queue,
    isSimulated: event.is_simulated,
  }),
  "hall.orders": (state, event) => ({ orders: event.orders }),
  "hall.warnings": (state, event) => ({ warnings: event.warnings }),
};

function snapshot(state, event) {
  return {
    isLoaded: true,
    seq: event.seq,
    isWhole: true,
    at: event.at,
    day: event.day,
    from: event.from,
    until: event.until,
    speed: event.speed,
    isSimulated: event.is_simulated,
    hasQueue: event.has_queue,
    usual: { ...NO_USUAL, ...event.usual },
    rows: withRows(new Map(), event.calls, []),
    orders: event.orders,
    warnings: event.warnings,
  };
}

function withRows(rows, calls, gone) {
  const next = new Map(rows);
  for (const row of calls) next.set(row.call_key, row);
  for (const key of gone) next.delete(key);
  return next;
}
