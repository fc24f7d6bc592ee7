// What the watch page decides: what is known of alarms, their order, the calls of the moment.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ALARM_WORDS } from "../../agent_ui/static/js/alarm_words.js";
import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { quietLine } from "../../agent_ui/static/js/notice.js";
import { emptyCall, emptyList, reduceCall, reduceList } from "../../agent_ui/static/js/reduce.js";
import { arrangedAlarms } from "../../agent_ui/static/js/watch/alarms.js";
import { currentCalls } from "../../agent_ui/static/js/watch/calls.js";
import { actionOf } from "../../agent_ui/static/js/watch/keys.js";

const AT = "2026-03-05T10:32:00+08:00";
const t = wordsOf("zh-CN", ALARM_WORDS);
const call = (id, more = {}) => ({ call_id: id, state: "live", started_at: AT, operator_id: "027", seconds: 0, ...more });
const event = (type, seq, more = {}) => ({ type, seq, at: AT, call_id: "c1", ...more });
const raised = (seq, more = {}) =>
  event("alarm.raised", seq, {
    alarm_id: "c1.gas",
    kind: "gas",
    severity: "critical",
    segment_id: "citizen-1",
    said: "有煤气味",
    start: 1,
    end: 4,
    start_s: 1,
    ...more,
  });
const taken = (seq) => event("alarm.taken", seq, { alarm_id: "c1.gas", note: "已转", by: "王" });
const rated = (seq) => event("alarm.rated", seq, { alarm_id: "c1.gas", is_true: false, by: "王" });
const list = () => reduceList(emptyList(), event("snapshot", 1, { calls: [call("c1", { caller: "139" })] }));

describe("alarms on the list", () => {
  test("an alarm is known with its call, taken once, and rated", () => {
    let state = reduceList(list(), raised(2));
    assert.equal(state.alarms.length, 1);
    assert.deepEqual([state.alarms[0].operator_id, state.alarms[0].caller, state.alarms[0].taken_at], ["027", "139", null]);
    assert.equal("seq" in state.alarms[0], false);
    state = reduceList(state, taken(3));
    assert.deepEqual([state.alarms[0].taken_by, state.alarms[0].note], ["王", "已转"]);
    state = reduceList(state, { ...taken(4), by: "李" });
    assert.equal(state.alarms[0].taken_by, "王");
    assert.equal(reduceList(state, rated(5)).alarms[0].is_true, false);
  });

  test("a snapshot brings them, and the same one twice is one", () => {
    const state = reduceList(emptyList(), event("snapshot", 5, { calls: [], alarms: [{ alarm_id: "c1.gas", at: AT }] }));
    assert.equal(state.alarms.length, 1);
    assert.equal(reduceList(state, raised(6)).alarms.length, 1);
    assert.deepEqual(reduceList(emptyList(), event("snapshot", 5, { calls: [] })).alarms, []);
  });

  test("what was last said stays until the call is over", () => {
    const state = reduceList(list(), event("call.line", null, { party: "citizen", text: "你好" }));
    assert.deepEqual(state.lines, { c1: { party: "citizen", text: "你好" } });
    assert.deepEqual(reduceList(state, event("call.ended", 2, { reason: "hangup", seconds: 3 })).lines, {});
  });

  test("what waits stands by gravity and age, what was taken by time", () => {
    const alarm = (id, severity, at, takenAt = null) => ({ alarm_id: id, severity, at, taken_at: takenAt });
    const { open, taken: done } = arrangedAlarms([
      alarm("a", "urgent", "2026-03-05T10:30:00+08:00"),
      alarm("b", "critical", "2026-03-05T10:31:00+08:00"),
      alarm("c", "critical", "2026-03-05T10:30:30+08:00"),
      alarm("d", "critical", AT, "2026-03-05T10:33:00+08:00"),
      alarm("e", "critical", AT, "2026-03-05T10:34:00+08:00"),
    ]);
    assert.deepEqual(open.map((one) => one.alarm_id), ["c", "b", "a"]);
    assert.deepEqual(done.map((one) => one.alarm_id), ["e", "d"]);
  });

  test("calls that are over are not of the moment; seats keep their order", () => {
    const calls = [call("x", { operator_id: "031" }), call("y", { state: "ended" }), call("z", { operator_id: "027" })];
    assert.deepEqual(currentCalls(calls).map((one) => one.call_id), ["z", "x"]);
  });
});

test("the operator is told calmly, and that somebody sees to it", () => {
  const begin = reduceCall(emptyCall(), event("call.started", 1, { call: call("c1") }));
  const say = (state) => quietLine({ state, isOnline: true, serverMs: Date.parse(AT) }, t);
  const alarmed = reduceCall(begin, raised(2));
  assert.deepEqual(say(alarmed), { level: "look", text: "已通知班长：燃气泄漏。请继续问清地点和人员情况" });
  assert.deepEqual(say(reduceCall(alarmed, taken(3))), { level: "ok", text: "班长已接手：燃气泄漏" });
  assert.equal(say(begin).text, "识别正常");
});

test("keys mean something outside of fields alone", () => {
  const press = (key, more = {}) => actionOf({ key, keyCode: 0, isComposing: false, isInField: false, ...more });
  assert.equal(press("a"), "take");
  assert.equal(press("A"), "take");
  assert.equal(press("a", { isInField: true }), null);
  assert.equal(press("a", { ctrlKey: true }), null);
  assert.equal(press("Escape", { isInField: true }), "back");
  assert.equal(press("a", { isComposing: true }), null);
});
