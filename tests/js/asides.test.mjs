// What a screen keeps beside the text: edits, notes, history, transfers, and no more lines than it can bear.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { filtered } from "../../agent_ui/static/js/calls.js";
import { crmAddress } from "../../agent_ui/static/js/crm.js";
import { actionOf, changeKey, keyOf, useKeys } from "../../agent_ui/static/js/keys.js";
import { emptyCall, emptyList, reduceCall, reduceList, trimmed, withEarlier } from "../../agent_ui/static/js/reduce.js";

const AT = "2026-03-05T10:32:00+08:00";
const event = (type, seq, more = {}) => ({ type, seq, at: AT, call_id: "c1", ...more });
const started = event("call.started", 1, { call: { call_id: "c1", state: "live", started_at: AT, seconds: 0, operator_id: "027" } });
const line = (n, text = `第${n}秒`) => ({
  call_id: "c1",
  segment_id: `citizen-${n}`,
  party: "citizen",
  start_s: n,
  end_s: n + 1,
  text,
  is_final: true,
  corrections: [],
});
const fold = (events, state = emptyCall()) => events.reduce(reduceCall, state);
const shown = (n) => event("segment.shown", n + 1, { segment: line(n) });

describe("edits", () => {
  const changed = (seq, text, by = "027") => event("segment.corrected", seq, { segment: line(1, text), by });

  test("say who changed a line, until it reads as it was heard", () => {
    const edited = fold([started, shown(1), changed(3, "改过"), changed(4, "又改过", "031")]);
    assert.equal(edited.edits["citizen-1"].by, "031");
    assert.equal(edited.edits["citizen-1"].original.text, "第1秒");
    assert.deepEqual(fold([changed(5, "第1秒")], edited).edits, {});
  });

  test("keep a removed line in sight, also after a reload", () => {
    const removed = fold([started, shown(1), changed(3, "")]);
    assert.deepEqual([removed.lines[0].text, removed.lines[0].isRemoved], ["第1秒", true]);
    const edits = [{ original: line(1), at: AT, by: null }];
    const snapshot = event("snapshot", 3, { call: started.call, segments: [], partials: [], cards: [], suggestion_id: null, marks: [], edits });
    assert.equal(fold([snapshot]).lines[0].isRemoved, true);
    assert.equal(fold([changed(4, "第1秒")], removed).lines[0].isRemoved, undefined);
  });
});

describe("a call of many hours", () => {
  const state = fold([started, ...Array.from({ length: 1500 }, (_, n) => shown(n + 1))]);

  test("holds the newest thousand lines, and knows that there were more", () => {
    assert.deepEqual([state.lines.length, state.lines[0].start_s, state.hasEarlier], [1000, 501, true]);
  });

  test("passes over a change far above, and takes earlier lines back in while they are read", () => {
    const far = event("segment.corrected", 1502, { segment: line(3, "改过"), by: null });
    assert.equal(fold([far], state).lines.length, 1000);
    const more = withEarlier(state, [line(499), line(500), line(501)], true);
    assert.deepEqual([more.lines.length, more.lines[0].start_s], [1002, 499]);
    assert.equal(fold([event("segment.shown", 1502, { segment: line(1501) })], more).lines.length, 1003);
    assert.deepEqual([trimmed(more).lines.length, trimmed(more).hasEarlier], [1000, true]);
  });
});

describe("beside the text", () => {
  test("a note is changed in its place and taken away", () => {
    const note = (seq, type, text, id = "n1") => event(type, seq, { note_id: id, text, by: "027" });
    const two = fold([started, note(2, "note.taken", "甲"), note(3, "note.taken", "乙", "n2"), note(4, "note.changed", "丙")]);
    assert.deepEqual(two.notes.map(({ text }) => text), ["丙", "乙"]);
    assert.deepEqual(fold([note(5, "note.changed", "")], two).notes.map(({ text }) => text), ["乙"]);
  });

  test("the history has every card once, in the order in which they came", () => {
    const suggest = (seq, ...ids) =>
      event("suggestion.shown", seq, {
        suggestion: { suggestion_id: `s${seq}`, cards: ids.map((id, slot) => ({ slot, article_id: id, title: id })) },
      });
    const state = fold([started, suggest(2, "A", "B"), suggest(3, "C"), suggest(4, "B")]);
    assert.deepEqual(state.history.map((one) => one.card.article_id), ["A", "B", "C"]);
    assert.equal(state.history[1].suggestion_id, "s4");
  });

  test("a transfer changes the seat here and on the list, where lag is kept too", () => {
    const transferred = event("call.transferred", 2, { from_operator: "027", to_operator: "031", message: "" });
    assert.equal(fold([started, transferred]).call.operator_id, "031");
    const lag = event("call.lag", null, { lag_s: 5 });
    const [call] = [started, transferred, lag].reduce(reduceList, emptyList()).calls;
    assert.deepEqual([call.operator_id, call.lagS], ["031", 5]);
  });

  test("the list can be narrowed by seat and state", () => {
    const calls = [{ operator_id: "027", state: "live" }, { operator_id: "031", state: "ended" }, { state: "live" }];
    assert.equal(filtered(calls, { state: "", seat: "" }), calls);
    assert.deepEqual(filtered(calls, { state: "live", seat: "02" }), [calls[0]]);
  });
});

describe("keys of one's own", () => {
  const press = (key) => actionOf({ key, keyCode: 0, isComposing: false, ctrlKey: false, metaKey: false, altKey: false, isInField: false });

  test("take the place of the usual one, and are refused where they are taken or cannot be typed", () => {
    useKeys({});
    assert.deepEqual(changeKey("replay", "J"), { ok: true });
    assert.deepEqual([press("j"), press("r"), keyOf("replay")], ["replay", null, "J"]);
    assert.deepEqual(changeKey("replay", "c"), { ok: false, why: "taken", by: "copy" });
    for (const key of ["Escape", "Enter", "Tab", " ", "ArrowUp"]) assert.equal(changeKey("replay", key).ok, false);
    useKeys({ replay: "Enter", nonsense: "q" });
    assert.equal(press("r"), "replay");
    useKeys({});
  });
});

describe("another system", () => {
  test("is opened with what the call knows, escaped", () => {
    const call = { call_id: "c 1", caller: "+86 139", operator_id: null, dialled: "12345" };
    const template = "https://crm/pop?p={caller}&c={call_id}&o={operator_id}&x={other}";
    assert.equal(crmAddress(template, call), "https://crm/pop?p=%2B86%20139&c=c%201&o=&x={other}");
    assert.equal(crmAddress("", call), null);
    assert.equal(crmAddress(template, null), null);
  });
});
