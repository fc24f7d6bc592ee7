// What the watch page decides: what is known of alarms, their order, the calls of the moment.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { ALARM_WORDS } from "../../agent_ui/static/js/alarm_words.js";
import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { quietLine } from "../../agent_ui/static/js/notice.js";
import { emptyCall, emptyList, reduceCall, reduceList } from "../../agent_ui/static/js/reduce.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";
import { SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";
import { arrangedAlarms } from "../../agent_ui/static/js/watch/alarms.js";
import { currentCalls } from "../../agent_ui/static/js/watch/calls.js";
import { actionOf, KEY_ROWS } from "../../agent_ui/static/js/watch/keys.js";
import { LISTS } from "../../agent_ui/static/js/watch/lists.js";
import { LIST_WORDS } from "../../agent_ui/static/js/watch/listwords.js";
import { foundText, levelOf, pointsText } from "../../agent_ui/static/js/watch/scores.js";
import { WATCH_WORDS } from "../../agent_ui/static/js/watch/words.js";

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

describe("words of the watch page", () => {
  const dictionaries = [ALARM_WORDS, WATCH_WORDS, LIST_WORDS];
  const all = together(SHELL_WORDS, PART_WORDS, ...dictionaries);
  const words = wordsOf("zh-CN", all);

  test("both languages have the same keys with the same places to fill", () => {
    const places = (one) =>
      Object.fromEntries(Object.entries(one).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]));
    for (const one of dictionaries) assert.deepEqual(places(one.en), places(one["zh-CN"]));
  });

  test("every key that the modules name is there, also those that are put together", () => {
    const folder = new URL("../../agent_ui/static/js/watch/", import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), "utf8");
      for (const [, key] of text.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(words.knows(key), `${name}: ${key}`);
    }
    const checks = ["greeting", "repeating", "closing", "forbidden", "silence", "interruption", "pace"];
    const put = [
      ...LISTS.flatMap((list) => [`list.${list}`, `list.${list}.none`]),
      ...["sample", "appealed", "low", "all"].flatMap((list) => [`scores.${list}`, `scores.${list}.none`]),
      ...checks.map((check) => `check.${check}`),
      ...["open", "reviewed", "appealed", "answered"].map((state) => `quality.${state}`),
      ...["review", "appeal", "answer"].flatMap((kind) => [`remark.${kind}`, `remark.${kind}.text`, `remark.${kind}.send`]),
      ...KEY_ROWS.map(([, key]) => `key.${key}`),
    ];
    assert.deepEqual(put.filter((key) => !words.knows(key)), []);
  });

  test("what a check found is said with its figures", () => {
    const found = (check, share, value = null) => foundText({ check, share, weight: 10, value }, words);
    assert.equal(found("greeting", 0.5), "只有一半：缺问候，或缺工号、服务用语");
    assert.equal(found("forbidden", 0.5, 1), "1 处");
    assert.equal(found("silence", 0.5, 36), "太多或太长，最长 36秒");
    assert.equal(found("pace", 1, 295.2), "每分钟 295 字");
    assert.equal(pointsText({ share: 0.5, weight: 15 }), "7.5 / 15");
    assert.deepEqual([1, 0.5, 0].map((share) => levelOf({ share })), ["ok", "part", "bad"]);
  });
});
