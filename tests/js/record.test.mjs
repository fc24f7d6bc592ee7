// The page of calls: what it asks, what it shows of a record.

import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOf, keyRows } from "../../agent_ui/static/js/record/keys.js";
import { cardsOf, paperOf, size, wrapupOf } from "../../agent_ui/static/js/record/record.js";
import { addressOf, callerOf, isEmptyWish, noWish, pageOf, placeOf, questionOf } from "../../agent_ui/static/js/record/wishes.js";
import { RECORD_WORDS } from "../../agent_ui/static/js/record/words.js";

test("a place in the address names a call and a moment", () => {
  assert.deepEqual(placeOf(addressOf("c/1 #2", 12.5)), { callId: "c/1 #2", atS: 12.5 });
  assert.deepEqual(placeOf(addressOf("c-1")), { callId: "c-1", atS: null });
  assert.deepEqual(placeOf(""), { callId: null, atS: null });
  assert.equal(addressOf(null), "");
});

test("fewer digits than a number are its last ones", () => {
  assert.equal(callerOf("2316"), "*2316");
  assert.equal(callerOf("138 1234 2316"), "13812342316");
  assert.equal(callerOf("2260512"), "2260512");
  assert.equal(callerOf(" "), null);
});

test("words are searched, all else is a list with filters", () => {
  assert.ok(isEmptyWish(noWish()));
  const wish = { ...noWish(), q: " 井盖 ", by: "sound", caller: "2316", kind: "投诉" };
  assert.ok(!isEmptyWish(wish));
  const { isSearch, query } = questionOf(wish, 20);
  assert.ok(isSearch);
  assert.deepEqual([query.q, query.by, query.caller, query.offset, query.kind], ["井盖", "sound", "*2316", 20, undefined]);
  const list = questionOf({ ...wish, q: "" }, 0);
  assert.ok(!list.isSearch);
  assert.deepEqual([list.query.kind, list.query.category, list.query.q], ["投诉", null, undefined]);
});

test("both answers become rows of one shape", () => {
  const hit = { call_id: "a", started_at: "t", caller: "1", operator_id: "2", line: { text: "x", start_s: 3 }, lines: 4 };
  const call = { call_id: "a", started_at: "t", caller: "1", operator_id: "2", matter: null, kind: "投诉", category: null, seconds: 5, state: "ended" };
  const [found, listed] = [pageOf({ total: 1, hits: [hit] }), pageOf({ total: 1, calls: [call] })];
  assert.deepEqual(Object.keys(found.rows[0]).sort(), Object.keys(listed.rows[0]).sort());
  assert.deepEqual([found.rows[0].more, found.rows[0].atS, listed.rows[0].kind], [3, 3, "投诉"]);
});

const line = (id, startS, text) => ({ segment_id: id, start_s: startS, end_s: startS + 1, text, words: [], corrections: [] });
const edit = (original) => ({ original, at: "2026-03-05T10:00:00Z", by: "li" });
const snapshot = {
  call: { call_id: "c-1", seconds: 9 },
  segments: [line("b", 4, "改过"), line("a", 1, "没改")],
  edits: [edit(line("b", 4, "原来")), edit(line("c", 2, "删掉的"))],
  marks: [
    { article_id: "T2", mark: "helpful" },
    { article_id: "T1", mark: "dismissed" },
  ],
  history: ["T1", "T2"].map((id) => ({ card: { article_id: id, title: id, department: "局" } })),
  work_order: null,
};

test("a paper has changed and removed lines in their places", () => {
  const { segments } = paperOf({ snapshot });
  assert.deepEqual(segments.map((one) => one.segment_id), ["a", "c", "b"]);
  assert.deepEqual([segments[1].text, segments[1].edit.recognised], ["", "删掉的"]);
  assert.deepEqual([segments[2].text, segments[2].edit.recognised], ["改过", "原来"]);
  assert.equal(segments[0].edit, undefined);
});

test("cards that helped stand first, with what was done", () => {
  assert.deepEqual(cardsOf({ snapshot }).map(({ articleId, marks }) => [articleId, marks]), [
    ["T2", ["helpful"]],
    ["T1", ["dismissed"]],
  ]);
});

test("a wrap-up shows the fields that say something", () => {
  assert.deepEqual(wrapupOf({ snapshot }), []);
  const order = { kind: { value: "投诉" }, summary: { value: "" }, category: "市容" };
  assert.deepEqual(wrapupOf({ snapshot: { ...snapshot, work_order: order } }), [
    { name: "kind", text: "投诉" },
    { name: "category", text: "市容" },
  ]);
});

test("sizes, keys and words", () => {
  assert.deepEqual([size(10), size(400_000), size(12_340_000)], ["1 KB", "400 KB", "12.3 MB"]);
  const press = (key, more = {}) => actionOf({ key, isInField: false, ...more });
  assert.deepEqual([press("v"), press("L"), press("Escape"), press("a")], ["unmask", "leg", "back", null]);
  assert.deepEqual([press("v", { isInField: true }), press("v", { ctrlKey: true }), press("v", { isComposing: true })], [null, null, null]);
  const [zh, en] = [RECORD_WORDS["zh-CN"], RECORD_WORDS.en];
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  for (const [, name] of keyRows("x")) if (name.startsWith("call")) assert.ok(zh[`key.${name}`], name);
  const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const key of Object.keys(zh)) assert.deepEqual(holes(zh[key]), holes(en[key]), key);
});
