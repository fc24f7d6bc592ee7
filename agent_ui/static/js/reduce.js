// What a screen knows, as a fold of what it was told.
//
// In: a state and one event of the wire (types in protocol.js). Out: the next state, the same object where
// nothing changed. Not known here: sockets, the document, the time of day.

import { CALL_STATE, EVENT, MARK } from "./protocol.js";

/** @typedef {import("./protocol.js").ScreenEvent} ScreenEvent */
/** @typedef {import("./protocol.js").CallListEvent} CallListEvent */
/** @typedef {import("./protocol.js").SegmentOnScreen} Segment */

const SLOTS = 3;
const NOTICES_KEPT = 50;
const HISTORY_KEPT = 100;
const ENDED_CALLS_KEPT = 100;
const LONGEST_CALL_S = 6 * 3600;
/** Lines that are held of a call of many hours; earlier ones are fetched again when somebody reads up there. */
const LINES_KEPT = 1000;

/** State of a call's or an operator's stream before the first event. `lines` are finals and partials in
 * the order of media time, the newest `kept` of them (`hasEarlier`: there were more); `marks` say by article what
 * was done with it, `edits` by line what people changed; `history` holds every card; `gaps` counts lost facts. */
export function emptyCall() {
  return {
    seq: 0,
    gaps: 0,
    isLoaded: false,
    call: null,
    lines: [],
    kept: LINES_KEPT,
    hasEarlier: false,
    edits: {},
    cards: noCards(),
    marks: {},
    history: [],
    notes: [],
    transfers: [],
    workOrder: null,
    alarms: [],
    notices: [],
    lagS: 0,
    error: null,
    published: null,
  };
}

/** State of the list of calls before the first event; `calls` in the order in which they are shown, `lines` say by
 * call what was last said. */
export function emptyList() {
  return { seq: 0, gaps: 0, isLoaded: false, calls: [], alarms: [], lines: {}, published: null };
}

/** When somebody published another version of the knowledge while this page was open. */
const PUBLISHED = { [EVENT.KB_PUBLISHED]: (state, { version, at }) => ({ ...state, published: { version, at } }) };

/** @param {ScreenEvent} event */
export function reduceCall(state, event) {
  return step(state, event, ON_CALL);
}

/** @param {CallListEvent} event */
export function reduceList(state, event) {
  return step(state, event, ON_LIST);
}

function step(state, event, steps) {
  const apply = steps[event.type];
  if (event.type === EVENT.SNAPSHOT) return apply(state, event);
  if (event.seq === null) return apply ? apply(state, event) : state;
  if (event.seq <= state.seq) return state;
  const isGap = state.isLoaded && event.seq > state.seq + 1;
  const counted = { ...state, seq: event.seq, gaps: state.gaps + (isGap ? 1 : 0) };
  return apply ? apply(counted, event) : counted;
}

// ---- one call -------------------------------------------------------------------------------------------

const ON_CALL = {
  ...PUBLISHED,
  [EVENT.SNAPSHOT]: (state, event) => ({
    ...emptyCall(),
    seq: event.seq,
    gaps: state.gaps,
    isLoaded: true,
    published: state.published,
    call: event.call && timed(event.call, event.at),
    ...cutTo(LINES_KEPT, event.partials.reduce(putLine, inOrder([...event.segments, ...removedLines(event)]))),
    edits: Object.fromEntries((event.edits ?? []).map((edit) => [edit.original.segment_id, edit])),
    history: event.history ?? [],
    notes: event.notes ?? [],
    transfers: event.transfers ?? [],
    workOrder: event.work_order ?? null,
    alarms: event.alarms ?? [],
    cards: placed(event.cards, event.suggestion_id),
    marks: event.marks.reduce((marks, mark) => marked(marks, mark), {}),
    notices: event.call && state.call?.call_id === event.call.call_id ? state.notices : [],
  }),
  [EVENT.CALL_STARTED]: (state, event) => ({
    ...emptyCall(),
    seq: state.seq,
    gaps: state.gaps,
    isLoaded: true,
    published: state.published,
    call: timed(event.call, event.at),
  }),
  [EVENT.SEGMENT_SHOWN]: ofThisCall((state, event) => withLine(state, event.segment)),
  [EVENT.SEGMENT_CORRECTED]: ofThisCall(corrected),
  [EVENT.SUGGESTION_SHOWN]: ofThisCall((state, event) => ({
    ...state,
    cards: placed(event.suggestion.cards, event.suggestion.suggestion_id),
    history: remembered(state.history, event),
  })),
  [EVENT.NOTE_TAKEN]: ofThisCall((state, event) => ({ ...state, notes: noted(state.notes, event) })),
  [EVENT.NOTE_CHANGED]: ofThisCall((state, event) => ({ ...state, notes: noted(state.notes, event) })),
  [EVENT.CALL_TRANSFERRED]: ofThisCall((state, event) => ({
    ...state,
    call: CALL_CHANGES[event.type](state.call, event),
    transfers: [...state.transfers, event],
  })),
  [EVENT.SUGGESTION_MARKED]: ofThisCall((state, event) => ({ ...state, marks: marked(state.marks, event) })),
  [EVENT.WORK_ORDER_DRAFTED]: ofThisCall(withWorkOrder),
  [EVENT.WORK_ORDER_CHANGED]: ofThisCall(withWorkOrder),
  [EVENT.WORK_ORDER_MADE]: ofThisCall(withWorkOrder),
  [EVENT.ALARM_RAISED]: ofThisCall((state, event) => withAlarm(state, event, state.call)),
  [EVENT.ALARM_TAKEN]: ofThisCall(alarmFollowed),
  [EVENT.ALARM_RATED]: ofThisCall(alarmFollowed),
  [EVENT.CALL_DEGRADED]: ofThisCall((state, { code, seconds, message, at }) => ({
    ...state,
    notices: [...state.notices, { code, seconds, message, at }].slice(-NOTICES_KEPT),
  })),
  [EVENT.CALL_LAG]: ofThisCall((state, event) => ({ ...state, lagS: event.lag_s })),
  [EVENT.CALL_LOST]: ofThisCall(changesCall),
  [EVENT.CALL_INTERRUPTED]: ofThisCall((state, event) => withoutPartials(changesCall(state, event))),
  [EVENT.CALL_RECONNECTED]: ofThisCall(changesCall),
  [EVENT.CALL_ENDED]: ofThisCall((state, event) => withoutPartials(changesCall(state, event))),
  [EVENT.ERROR]: (state, { code, message, recoverable, at }) => ({
    ...state,
    error: { code, message, recoverable, at },
  }),
};

function ofThisCall(apply) {
  return (state, event) => (event.call_id === state.call?.call_id ? apply(state, event) : state);
}

function withWorkOrder(state, event) {
  return { ...state, workOrder: event.work_order };
}

function changesCall(state, event) {
  return { ...state, call: CALL_CHANGES[event.type](state.call, event), lagS: 0 };
}

function withoutPartials(state) {
  return { ...state, lines: state.lines.filter((line) => line.is_final) };
}

function withLine(state, segment) {
  const isLetGo = state.hasEarlier && state.lines.length > 0 && isLater(state.lines[0], segment);
  if (isLetGo) return state; // its place is above what is held; it is fetched with the others up there
  const lines = putLine(state.lines, segment);
  if (lines === state.lines) return state;
  return { ...state, ...cutTo(state.kept, lines, state.hasEarlier) };
}

function cutTo(kept, lines, hasEarlier = false) {
  if (lines.length <= kept) return { lines, hasEarlier };
  return { lines: lines.slice(-kept), hasEarlier: true };
}

/** The state with lines from before the first one that is held. */
export function withEarlier(state, segments, hasEarlier) {
  const held = new Set(state.lines.map((line) => line.segment_id));
  const fresh = segments.filter((line) => !held.has(line.segment_id));
  const lines = inOrder([...fresh, ...state.lines]);
  return { ...state, lines, hasEarlier, kept: Math.max(state.kept, lines.length + LINES_KEPT / 2) };
}

/** The state with no more lines than usual, once nobody reads the earlier ones any more. */
export function trimmed(state) {
  if (state.lines.length <= LINES_KEPT && state.kept === LINES_KEPT) return state;
  return { ...state, kept: LINES_KEPT, ...cutTo(LINES_KEPT, state.lines, state.hasEarlier) };
}

function inOrder(segments) {
  return segments.sort((a, b) => (isLater(a, b) ? 1 : -1));
}

/** Lines that a person removed stay in sight, as such, so that they can be put back. */
function removedLines(event) {
  const present = new Set(event.segments.map((segment) => segment.segment_id));
  const removed = (event.edits ?? []).filter(({ original }) => !present.has(original.segment_id));
  return removed.map(({ original }) => ({ ...original, isRemoved: true }));
}

function corrected(state, event) {
  const { segment } = event;
  const { [segment.segment_id]: old, ...others } = state.edits;
  const line = state.lines.find((one) => one.segment_id === segment.segment_id);
  const original = old?.original ?? line;
  const isAsHeard =
    original === undefined ||
    (original.text === segment.text && original.corrections.length === segment.corrections.length);
  const edits = isAsHeard
    ? others
    : { ...others, [segment.segment_id]: { original, at: event.at, by: event.by ?? null } };
  const shown = segment.text === "" && original ? { ...original, isRemoved: true } : segment;
  return { ...withLine(state, shown), edits };
}

function remembered(history, { suggestion, at }) {
  if (suggestion.cards.length === 0) return history;
  const next = [...history];
  for (const card of suggestion.cards) {
    const shown = { card, suggestion_id: suggestion.suggestion_id, at };
    const old = next.findIndex((one) => one.card.article_id === card.article_id);
    if (old >= 0) next[old] = { ...shown, at: next[old].at };
    else next.push(shown);
  }
  return next.slice(-HISTORY_KEPT);
}

function noted(notes, { note_id: noteId, text, at, by }) {
  const old = notes.find((note) => note.note_id === noteId);
  if (text === "") return notes.filter((note) => note !== old);
  if (old) return notes.map((note) => (note === old ? { ...note, text, changed_at: at } : note));
  return [...notes, { note_id: noteId, text, at, by: by ?? null, changed_at: null }];
}

/** Lines with that segment put in, replaced or (without text) removed; looks from the end, where talk is. */
function putLine(lines, segment) {
  const old = lines.findLastIndex((line) => line.segment_id === segment.segment_id);
  if (old >= 0 && lines[old].is_final && !segment.is_final) return lines;
  if (old < 0 && segment.text === "") return lines;
  const next = lines.slice();
  if (old >= 0 && segment.text !== "" && lines[old].start_s === segment.start_s) {
    next[old] = segment;
    return next;
  }
  if (old >= 0) next.splice(old, 1);
  if (segment.text === "") return next;
  next.splice(next.findLastIndex((line) => !isLater(line, segment)) + 1, 0, segment);
  return next;
}

function isLater(line, segment) {
  if (line.start_s !== segment.start_s) return line.start_s > segment.start_s;
  return line.segment_id > segment.segment_id;
}

function noCards() {
  return Array(SLOTS).fill(null);
}

/** Three places, each empty or a card that remembers the suggestion it came with. */
function placed(cards, suggestionId) {
  const places = noCards();
  for (const card of cards) places[card.slot] = { ...card, suggestion_id: suggestionId };
  return places;
}

const MARKS = {
  [MARK.USED]: { isUsed: true },
  [MARK.COPIED]: { isUsed: true },
  [MARK.HELPFUL]: { verdict: MARK.HELPFUL },
  [MARK.WRONG]: { verdict: MARK.WRONG },
  [MARK.DISMISSED]: { isDismissed: true, isPinned: false },
  [MARK.RESTORED]: { isDismissed: false },
  [MARK.PINNED]: { isPinned: true },
  [MARK.UNPINNED]: { isPinned: false },
};

function marked(marks, { article_id: articleId, mark }) {
  return { ...marks, [articleId]: { ...marks[articleId], ...MARKS[mark] } };
}

// ---- the list of calls ----------------------------------------------------------------------------------

const ON_LIST = {
  ...PUBLISHED,
  [EVENT.SNAPSHOT]: (state, event) => ({
    seq: event.seq,
    gaps: state.gaps,
    isLoaded: true,
    published: state.published,
    calls: arranged(event.calls.map((call) => timed(call, event.at))),
    alarms: event.alarms ?? [],
    lines: {},
  }),
  [EVENT.CALL_LINE]: (state, { call_id: callId, party, text }) => ({
    ...state,
    lines: { ...state.lines, [callId]: { party, text } },
  }),
  [EVENT.ALARM_RAISED]: (state, event) =>
    withAlarm(state, event, state.calls.find((call) => call.call_id === event.call_id)),
  [EVENT.ALARM_TAKEN]: alarmFollowed,
  [EVENT.ALARM_RATED]: alarmFollowed,
  [EVENT.CALL_STARTED]: (state, event) => ({
    ...state,
    calls: arranged([
      timed(event.call, event.at),
      ...state.calls.filter((call) => call.call_id !== event.call.call_id),
    ]),
  }),
  [EVENT.CALL_LOST]: changesListed,
  [EVENT.CALL_INTERRUPTED]: changesListed,
  [EVENT.CALL_RECONNECTED]: changesListed,
  [EVENT.CALL_ENDED]: (state, event) => {
    const { [event.call_id]: _, ...lines } = state.lines;
    return { ...changesListed(state, event), lines };
  },
  [EVENT.CALL_TRANSFERRED]: changesListed,
  [EVENT.CALL_LAG]: (state, event) => ({
    ...state,
    calls: state.calls.map((call) => (call.call_id === event.call_id ? { ...call, lagS: event.lag_s } : call)),
  }),
};

function changesListed(state, event) {
  const change = (call) => (call.call_id === event.call_id ? CALL_CHANGES[event.type](call, event) : call);
  return { ...state, calls: arranged(state.calls.map(change)) };
}

/** Calls that go on before those that ended, each newest first; of the ended ones only the latest are kept,
 * so that a page left open all week stays small. */
function arranged(calls) {
  const newest = [...calls].sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at));
  const isEnded = (call) => call.state === CALL_STATE.ENDED;
  return [...newest.filter((call) => !isEnded(call)), ...newest.filter(isEnded).slice(0, ENDED_CALLS_KEPT)];
}

// ---- alarms, for both -----------------------------------------------------------------------------------

const ALARMS_KEPT = 100;

/** An alarm as a snapshot has it, newest first. */
function withAlarm(state, event, call) {
  const { type, seq, ...raised } = event;
  const alarm = {
    ...raised,
    operator_id: call?.operator_id ?? null,
    caller: call?.caller ?? null,
    taken_at: null,
    taken_by: null,
    note: "",
    is_true: null,
    rated_by: null,
  };
  const others = state.alarms.filter((one) => one.alarm_id !== alarm.alarm_id);
  return { ...state, alarms: [alarm, ...others].slice(0, ALARMS_KEPT) };
}

function alarmFollowed(state, event) {
  const change = (alarm) => {
    if (event.type === EVENT.ALARM_RATED) return { ...alarm, is_true: event.is_true, rated_by: event.by };
    if (alarm.taken_at) return alarm;
    return { ...alarm, taken_at: event.at, taken_by: event.by, note: event.note };
  };
  return {
    ...state,
    alarms: state.alarms.map((alarm) => (alarm.alarm_id === event.alarm_id ? change(alarm) : alarm)),
  };
}

// ---- what happens to a call, for both -------------------------------------------------------------------

const CALL_CHANGES = {
  [EVENT.CALL_LOST]: (call, event) => stopped(call, event, CALL_STATE.LOST),
  [EVENT.CALL_INTERRUPTED]: (call, event) => stopped(call, event, CALL_STATE.INTERRUPTED),
  [EVENT.CALL_RECONNECTED]: (call, event) => ({
    ...call,
    state: CALL_STATE.LIVE,
    clock: { seconds: event.received_s, at: event.at },
  }),
  [EVENT.CALL_TRANSFERRED]: (call, event) => ({ ...call, operator_id: event.to_operator }),
  [EVENT.CALL_ENDED]: (call, event) => ({
    ...call,
    lagS: 0,
    state: CALL_STATE.ENDED,
    ended_at: event.at,
    end_reason: event.reason,
    seconds: event.seconds,
    clock: { seconds: event.seconds, at: event.at },
  }),
};

function stopped(call, event, state) {
  return { ...call, state, clock: { seconds: elapsedS(call, Date.parse(event.at)), at: event.at } };
}

/** The call with the point its timer counts from: so many seconds of talk at that moment. Where a live call
 * does not say how much was heard, its age stands in, unless it carries the date of an old recording. */
function timed(call, at) {
  const ageS = (Date.parse(at) - Date.parse(call.started_at)) / 1000;
  const isUnsaid = call.state === CALL_STATE.LIVE && call.seconds === 0 && ageS > 0 && ageS < LONGEST_CALL_S;
  return { ...call, clock: { seconds: isUnsaid ? ageS : call.seconds, at } };
}

/** Seconds of talk at a moment of the server's time (milliseconds); stands still unless the call is live. */
export function elapsedS(call, serverMs) {
  const { seconds, at } = call.clock;
  if (call.state !== CALL_STATE.LIVE) return seconds;
  return seconds + Math.max(0, (serverMs - Date.parse(at)) / 1000);
}
