// How sure a wrap-up is, what to look at next, which department is meant: the pure part of the form.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { emptyCall, reduceCall } from "../../agent_ui/static/js/reduce.js";
import { choicesOf, fieldOf, isOpen, markOf, nextOpen, openFields, unitsOf, wishOf } from "../../agent_ui/static/js/wrapup/marks.js";
import { WRAPUP_WORDS } from "../../agent_ui/static/js/wrapup/words.js";

const span = { segment_id: "citizen-1", start: 0, end: 2 };
const field = (value, more = {}) => ({ value, drafted: value, confidence: 0.9, spans: [span], is_unsure: false, set_by: null, set_at: null, ...more });
const order = (more = {}) => ({
  version: 0,
  engine: "embedded",
  is_final: true,
  kind: field("投诉"),
  urgency: field("普通", { spans: [] }),
  caller_name: field(""),
  caller_phone: field("13900000159", { spans: [], confidence: 0.6 }),
  district: field("定海区"),
  place: field("东大街18号", { is_unsure: true }),
  category: field(""),
  department: field("市住建局"),
  summary: field("门口积水"),
  detail: field("门口积水。", { is_unsure: true }),
  department_id: "SZ04",
  departments: [],
  knowledge: [],
  order: null,
  ...more,
});

describe("marks", () => {
  test("say of each field how sure it is", () => {
    const marks = ["kind", "caller_name", "caller_phone", "place"].map((name) => markOf(order(), name));
    assert.deepEqual(marks, ["sure", "none", "line", "unsure"]);
    assert.equal(markOf(order({ place: field("北大街", { is_unsure: false, set_by: "李敏" }) }), "place"), "set");
    assert.equal(markOf(null, "kind"), "none");
  });

  test("lead from one open field to the next and around, needed ones among them", () => {
    assert.deepEqual(openFields(order()), ["place", "detail"]);
    assert.deepEqual(openFields(null), ["kind", "summary"]);
    assert.equal(nextOpen(order(), null), "place");
    assert.equal(nextOpen(order(), "place"), "detail");
    assert.equal(nextOpen(order(), "detail"), "place");
    assert.equal(nextOpen(order({ detail: field("好") }), "place"), null);
    assert.equal(nextOpen(order({ summary: field("") }), "detail"), "place");
  });

  test("know what puts a field back: null where it holds what was drafted", () => {
    const mine = { set_by: "李敏" };
    const one = order({ summary: field("积水", mine), department: field("市教育局", mine), department_id: "SZ12" });
    assert.deepEqual([wishOf(one, "kind"), wishOf(one, "summary"), wishOf(one, "department")], [null, "积水", "SZ12"]);
  });

  test("close the form with the dispatch of its order", () => {
    assert.deepEqual([null, "accepted", "returned", "dispatched", "closed"].map(isOpen), [true, true, true, false, false]);
  });
});

test("a span counts characters, a text UTF-16 units", () => {
  assert.deepEqual(unitsOf("𠮷祥街18号", { start: 1, end: 3 }), { start: 2, end: 4 });
  assert.equal(unitsOf("短", { start: 0, end: 5 }), null);
  assert.equal(unitsOf("短", { start: 1, end: 1 }), null);
});

test("departments: what was drafted first, then what the words find; those of districts with their district", () => {
  const units = [
    { unit_id: "ZX", name: "中心", kind: "中心", parent_id: null },
    { unit_id: "DH", name: "定海区", kind: "区县", parent_id: "ZX" },
    { unit_id: "DH01", name: "住建局", kind: "部门", parent_id: "DH" },
    { unit_id: "SZ04", name: "市住房和城乡建设局", kind: "部门", parent_id: "ZX" },
  ];
  const drafted = [
    { name: "市住房和城乡建设局", department_id: "SZ04", confidence: 0.8 },
    { name: "没有的局", department_id: null, confidence: 0.1 },
  ];
  const names = (words) => choicesOf(units, drafted, words).map(({ name }) => name);
  assert.deepEqual(names(""), ["市住房和城乡建设局", "定海区", "定海区 住建局"]);
  assert.deepEqual(names("住建局"), ["市住房和城乡建设局", "定海区 住建局"]);
  assert.deepEqual(names("定海 住建"), ["定海区 住建局"]);
  assert.deepEqual(names("教育"), []);
});

test("the state of a call has its wrap-up, from a snapshot and from each event", () => {
  const at = "2026-03-05T10:32:00+08:00";
  const call = { call_id: "c1", state: "live", started_at: at, seconds: 0, operator_id: "027" };
  const snapshot = { type: "snapshot", seq: 1, at, call_id: "c1", call, segments: [], partials: [], cards: [], suggestion_id: null, marks: [], work_order: order() };
  let state = reduceCall(emptyCall(), snapshot);
  assert.equal(fieldOf(state.workOrder, "summary").value, "门口积水");
  for (const [seq, type] of [[2, "work_order.drafted"], [3, "work_order.changed"], [4, "work_order.made"]]) {
    state = reduceCall(state, { type, seq, at, call_id: "c1", work_order: order({ version: seq }) });
    assert.equal(state.workOrder.version, seq);
  }
  const other = { type: "work_order.drafted", seq: 5, at, call_id: "c0", work_order: order({ version: 99 }) };
  assert.equal(reduceCall(state, other).workOrder.version, 4);
  assert.equal(reduceCall(state, { type: "call.started", seq: 6, at, call_id: "c2", call: { ...call, call_id: "c2" } }).workOrder, null);
});

test("every word of the form is there in both languages, with the same gaps", () => {
  const gaps = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  const { "zh-CN": zh, en } = WRAPUP_WORDS;
  assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
  for (const key of Object.keys(zh)) assert.deepEqual(gaps(en[key]), gaps(zh[key]), key);
});
