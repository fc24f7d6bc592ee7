// What a screen knows after what it was told.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { elapsedS, emptyCall, emptyList, reduceCall, reduceList } from "../../agent_ui/static/js/reduce.js";

const AT = "2026-03-05T10:32:00+08:00";
const later = (seconds) => new Date(Date.parse(AT) + seconds * 1000).toISOString();

const call = (more = {}) => ({
  call_id: "c1",
  state: "live",
  started_at: AT,
  ended_at: null,
  operator_id: "027",
  caller: "13805802316",
  dialled: "12345",
  seconds: 0,
  end_reason: null,
  meta: {},
  ...more,
});

const segment = (id, startS, text, more = {}) => ({
  call_id: "c1",
  segment_id: id,
  party: id.split("-")[0],
  start_s: startS,
  end_s: startS + 2,
  text,
  raw_text: text,
  is_final: true,
  words: [],
  avg_logprob: -0.2,
  no_speech_prob: 0,
  corrections: [],
  ...more,
});

const card = (slot, articleId, more = {}) => ({
  slot,
  is_new: true,
  article_id: articleId,
  title: articleId,
  excerpt: "立即登记。",
  department: "市住建局",
  score: 0.5,
  source: "示例",
  ...more,
});

const event = (type, seq, more = {}) => ({ type, seq, at: AT, call_id: "c1", ...more });
const started = (seq = 1, more = {}) => event("call.started", seq, { call: call(more) });
const final = (seq, id, startS, text, more) =>
  event("segment.shown", seq, { segment: segment(id, startS, text, more) });
const partial = (id, startS, text) => final(null, id, startS, text, { is_final: false });
const suggested = (seq, id, cards) =>
  event("suggestion.shown", seq, {
    suggestion: {
      suggestion_id: id,
      segment_id: "citizen-1",
      query: "积水",
      kb_version: "v1",
      confidence: 0.8,
      cards,
    },
  });
const marked = (seq, articleId, mark) =>
  event("suggestion.marked", seq, { suggestion_id: "s1", article_id: articleId, mark, by: "027" });
const snapshot = (seq, more = {}) =>
  event("snapshot", seq, {
    call: call(),
    segments: [],
    partials: [],
    cards: [],
    suggestion_id: null,
    marks: [],
    work_order: null,
    ...more,
  });

const after = (...events) => events.reduce(reduceCall, emptyCall());
const texts = (state) => state.lines.map((line) => line.text);
const frozen = (value) => {
  if (value === null || typeof value !== "object") return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
};

describe("lines", () => {
  test("a final takes the place of its partials", () => {
    const state = after(
      started(),
      partial("citizen-1", 1, "我们店"),
      partial("citizen-1", 1, "我们店门口"),
      final(2, "citizen-1", 1, "我们店门口积水了。"),
    );
    assert.deepEqual(texts(state), ["我们店门口积水了。"]);
    assert.equal(state.lines[0].is_final, true);
  });

  test("a late partial does not undo a final", () => {
    const state = after(started(), final(2, "citizen-1", 1, "积水了。"), partial("citizen-1", 1, "积水"));
    assert.deepEqual(texts(state), ["积水了。"]);
  });

  test("a final without text removes the line", () => {
    const state = after(started(), partial("citizen-1", 1, "嗯"), final(2, "citizen-1", 1, ""));
    assert.deepEqual(state.lines, []);
    assert.equal(state.seq, 2);
  });

  test("a final without text that was never shown changes no line", () => {
    const before = after(started(), final(2, "citizen-1", 1, "你好"));
    assert.equal(reduceCall(before, final(3, "citizen-2", 5, "")).lines, before.lines);
  });

  test("lines stand in the order of media time, whatever order they came in", () => {
    const state = after(
      started(),
      partial("citizen-1", 4, "到小腿肚了"),
      final(2, "operator-1", 1, "积水有多深？"),
      final(3, "operator-2", 9, "好的。"),
      final(4, "citizen-1", 4, "到小腿肚了。"),
    );
    assert.deepEqual(texts(state), ["积水有多深？", "到小腿肚了。", "好的。"]);
  });

  test("a line whose start moved is put where it now belongs", () => {
    const state = after(
      started(),
      partial("citizen-1", 1, "甲"),
      final(2, "operator-1", 3, "乙"),
      final(3, "citizen-1", 5, "甲甲"),
    );
    assert.deepEqual(texts(state), ["乙", "甲甲"]);
  });

  test("a correction changes a final", () => {
    const state = after(
      started(),
      final(2, "citizen-1", 1, "机水"),
      event("segment.corrected", 3, { segment: segment("citizen-1", 1, "积水") }),
    );
    assert.deepEqual(texts(state), ["积水"]);
  });

  test("untouched lines stay the very same objects", () => {
    const before = after(started(), final(2, "citizen-1", 1, "甲"), partial("citizen-2", 5, "乙"));
    const next = reduceCall(before, partial("citizen-2", 5, "乙乙"));
    assert.equal(next.lines[0], before.lines[0]);
    assert.notEqual(next.lines, before.lines);
    assert.equal(next.cards, before.cards);
  });

  test("another call's text is not shown", () => {
    const before = after(started());
    const state = reduceCall(before, { ...final(2, "citizen-1", 1, "串线"), call_id: "c0" });
    assert.deepEqual(state.lines, []);
    assert.equal(state.seq, 2);
  });
});

describe("the stream", () => {
  test("what was seen already changes nothing", () => {
    const before = after(started(), final(2, "citizen-1", 1, "甲"), final(3, "citizen-2", 4, "乙"));
    assert.equal(reduceCall(before, final(2, "citizen-1", 1, "别的")), before);
    assert.equal(reduceCall(before, final(3, "citizen-2", 4, "别的")), before);
  });

  test("a replay after a break ends where an unbroken stream does", () => {
    const events = [
      started(),
      final(2, "citizen-1", 1, "甲"),
      suggested(3, "s1", [card(0, "T001")]),
      final(4, "operator-1", 4, "乙"),
      marked(5, "T001", "pinned"),
      final(6, "citizen-2", 7, "丙"),
    ];
    const whole = after(...events);
    const broken = after(...events.slice(0, 3), partial("operator-1", 4, "半句"));
    const replayed = events.slice(3).reduce(reduceCall, broken);
    assert.deepEqual(replayed, whole);
    assert.deepEqual(events.reduce(reduceCall, whole), whole);
  });

  test("a snapshot replaces everything, partials included", () => {
    const before = after(started(), final(2, "citizen-1", 1, "旧"), suggested(3, "s1", [card(0, "T001")]));
    const state = reduceCall(
      before,
      snapshot(9, {
        segments: [segment("citizen-1", 1, "新"), segment("citizen-2", 9, "后")],
        partials: [segment("operator-1", 5, "半", { is_final: false })],
        cards: [card(2, "T004", { is_new: false })],
        suggestion_id: "s2",
        marks: [{ suggestion_id: "s2", article_id: "T004", mark: "pinned" }],
      }),
    );
    assert.equal(state.seq, 9);
    assert.deepEqual(texts(state), ["新", "半", "后"]);
    assert.deepEqual(
      state.cards.map((one) => one?.article_id ?? null),
      [null, null, "T004"],
    );
    assert.equal(state.cards[2].suggestion_id, "s2");
    assert.equal(state.marks.T004.isPinned, true);
  });

  test("a snapshot counts even where its number is lower: the server began anew", () => {
    assert.equal(after(started(40), snapshot(3)).seq, 3);
  });

  test("an operator without a call has an empty, loaded desk", () => {
    const state = after(snapshot(0, { call: null, call_id: null }));
    assert.equal(state.isLoaded, true);
    assert.equal(state.call, null);
  });

  test("a new call on an operator's stream clears the desk", () => {
    const state = after(started(), final(2, "citizen-1", 1, "旧"), suggested(3, "s1", [card(0, "T001")]), {
      ...started(4),
      call_id: "c2",
      call: call({ call_id: "c2" }),
    });
    assert.equal(state.call.call_id, "c2");
    assert.deepEqual(state.lines, []);
    assert.deepEqual(state.cards, [null, null, null]);
    assert.equal(state.seq, 4);
  });

  test("a fact that never arrived is counted", () => {
    assert.equal(after(started(), final(2, "citizen-1", 1, "甲")).gaps, 0);
    assert.equal(after(started(), final(5, "citizen-1", 1, "甲")).gaps, 1);
  });

  test("an unknown fact is passed over, but counted as seen", () => {
    const state = after(started(), event("weather.changed", 2), final(3, "citizen-1", 1, "甲"));
    assert.deepEqual([state.seq, state.gaps, texts(state)], [3, 0, ["甲"]]);
  });

  test("no event changes the state it was given", () => {
    let state = frozen(emptyCall());
    const events = [
      snapshot(1, { partials: [segment("citizen-1", 1, "半", { is_final: false })] }),
      final(2, "citizen-1", 1, "整句"),
      suggested(3, "s1", [card(1, "T001")]),
      marked(4, "T001", "dismissed"),
      event("call.degraded", 5, { code: "asr.audio_dropped", seconds: 3, message: "" }),
      event("call.lag", null, { lag_s: 4 }),
      event("call.lost", 6),
      event("call.reconnected", 7, { received_s: 12 }),
      event("call.ended", 8, { reason: "hangup", seconds: 20 }),
      event("error", null, { code: "x", message: "y", recoverable: true, call_id: null }),
    ];
    for (const one of events) state = frozen(reduceCall(state, frozen(one)));
    assert.equal(state.call.state, "ended");
    assert.equal(state.error.code, "x");
  });
});

describe("cards", () => {
  test("a suggestion is the complete set; places keep their number", () => {
    const state = after(
      started(),
      suggested(2, "s1", [card(0, "T001"), card(2, "T003")]),
      suggested(3, "s2", [card(2, "T003", { is_new: false }), card(1, "T009")]),
    );
    assert.deepEqual(
      state.cards.map((one) => one?.article_id ?? null),
      [null, "T009", "T003"],
    );
    assert.deepEqual(
      state.cards.slice(1).map((one) => one.suggestion_id),
      ["s2", "s2"],
    );
  });

  test("an empty set clears the places", () => {
    const state = after(started(), suggested(2, "s1", [card(0, "T001")]), suggested(3, "s2", []));
    assert.deepEqual(state.cards, [null, null, null]);
  });

  test("marks of one article add up; opposite ones replace each other", () => {
    const state = after(
      started(),
      suggested(2, "s1", [card(0, "T001")]),
      marked(3, "T001", "pinned"),
      marked(4, "T001", "helpful"),
      marked(5, "T001", "copied"),
      marked(6, "T001", "wrong"),
    );
    assert.deepEqual(state.marks.T001, { isPinned: true, isUsed: true, verdict: "wrong" });
  });

  test("a closed card comes back when it is restored, and is no longer pinned", () => {
    const closed = after(started(), marked(2, "T001", "pinned"), marked(3, "T001", "dismissed"));
    assert.deepEqual(closed.marks.T001, { isPinned: false, isDismissed: true });
    assert.equal(reduceCall(closed, marked(4, "T001", "restored")).marks.T001.isDismissed, false);
  });
});

describe("the call", () => {
  test("its end drops what was never finished and keeps the rest", () => {
    const state = after(started(), final(2, "citizen-1", 1, "整句"), partial("citizen-2", 5, "半句"), {
      ...event("call.ended", 3, { reason: "lost", seconds: 61.5 }),
      at: later(120),
    });
    assert.deepEqual(texts(state), ["整句"]);
    assert.deepEqual(
      [state.call.state, state.call.end_reason, state.call.seconds, state.call.ended_at],
      ["ended", "lost", 61.5, later(120)],
    );
  });

  test("its timer runs while it is live, stands while the line is lost, and goes on from what was received", () => {
    const live = after(started());
    assert.equal(elapsedS(live.call, Date.parse(later(30))), 30);
    const lost = reduceCall(live, { ...event("call.lost", 2), at: later(40) });
    assert.equal(elapsedS(lost.call, Date.parse(later(70))), 40);
    const back = reduceCall(lost, { ...event("call.reconnected", 3, { received_s: 39 }), at: later(75) });
    assert.equal(elapsedS(back.call, Date.parse(later(80))), 44);
  });

  test("its timer goes on from a snapshot, also of an old recording", () => {
    const state = after({
      ...snapshot(4, { call: call({ started_at: "2020-01-01T00:00:00Z", seconds: 12 }) }),
    });
    assert.equal(elapsedS(state.call, Date.parse(later(3))), 15);
    const unsaid = after({ ...snapshot(4), at: later(90) });
    assert.equal(elapsedS(unsaid.call, Date.parse(later(91))), 91);
    const old = after({ ...snapshot(4, { call: call({ started_at: "2020-01-01T00:00:00Z" }) }) });
    assert.equal(elapsedS(old.call, Date.parse(later(2))), 2);
  });

  test("lag passes and is forgotten at the end; what was lost is remembered", () => {
    const state = after(
      started(),
      event("call.lag", null, { lag_s: 5.5 }),
      event("call.degraded", 2, { code: "asr.audio_dropped", seconds: 3, message: "m" }),
    );
    assert.equal(state.lagS, 5.5);
    const ended = reduceCall(state, event("call.ended", 3, { reason: "hangup", seconds: 9 }));
    assert.equal(ended.lagS, 0);
    assert.deepEqual(ended.notices, [{ code: "asr.audio_dropped", seconds: 3, message: "m", at: AT }]);
  });
});

describe("the list of calls", () => {
  const listed = (seq, calls) => ({ type: "snapshot", seq, at: AT, call_id: null, calls });
  const of = (id, more = {}) => call({ call_id: id, ...more });
  const ids = (state) => state.calls.map((one) => one.call_id);
  const list = (...events) => events.reduce(reduceList, emptyList());
  const begun = (seq, id, startedAt) => ({
    ...started(seq),
    call_id: id,
    call: of(id, { started_at: startedAt }),
  });

  test("calls that go on come first, each kind newest first", () => {
    const state = list(
      listed(3, [
        of("old", { state: "ended", started_at: later(50), seconds: 9 }),
        of("a", { started_at: later(10) }),
        of("b", { started_at: later(20) }),
      ]),
    );
    assert.deepEqual(ids(state), ["b", "a", "old"]);
  });

  test("a start is put in once, an end moves the call down", () => {
    const first = begun(1, "a", later(10));
    const state = list(listed(0, []), first, begun(2, "b", later(20)), first);
    assert.deepEqual(ids(state), ["b", "a"]);
    const ended = reduceList(state, {
      ...event("call.ended", 3, { reason: "hangup", seconds: 5 }),
      call_id: "b",
    });
    assert.deepEqual(ids(ended), ["a", "b"]);
    assert.equal(ended.calls[1].end_reason, "hangup");
    assert.equal(ended.calls[0], state.calls[1]);
  });

  test("a lost or interrupted call stays among those that go on", () => {
    const state = list(
      listed(0, [of("a"), of("b", { state: "ended" })]),
      { ...event("call.lost", 1), call_id: "a" },
      { ...event("call.interrupted", 2), call_id: "a" },
    );
    assert.deepEqual(
      state.calls.map((one) => one.state),
      ["interrupted", "ended"],
    );
  });

  test("of the ended ones only the latest hundred are kept", () => {
    const many = Array.from({ length: 130 }, (_, n) => of(`e${n}`, { state: "ended", started_at: later(n) }));
    const state = list(listed(0, [...many, of("live", { started_at: later(-9) })]));
    assert.equal(state.calls.length, 101);
    assert.deepEqual(ids(state).slice(0, 2), ["live", "e129"]);
  });

  test("new knowledge is known from either stream, and stays known over a snapshot", () => {
    const told = { type: "kb.published", seq: null, at: AT, call_id: null, version: "v2" };
    for (const [reduce, empty, snapshot] of [
      [reduceCall, emptyCall(), event("snapshot", 1, { call: null, segments: [], partials: [], cards: [], marks: [] })],
      [reduceList, emptyList(), event("snapshot", 1, { calls: [] })],
    ]) {
      const state = [snapshot, told, snapshot].reduce(reduce, empty);
      assert.deepEqual(state.published, { version: "v2", at: AT });
      assert.equal(state.seq, 1);
    }
  });
});
