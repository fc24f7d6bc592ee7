// What the page of work orders decides: boxes, deadlines in words, deeds, lines of the past, two who write at once.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { boxesOf, countOf, levelOf, partOf, questionOf } from "../../agent_ui/static/js/orders/boxes.js";
import { blankTexts, contentOf, differing, textsOf, together as merged, TYPES, URGENCIES } from "../../agent_ui/static/js/orders/content.js";
import { bodyOf, deedOfKey, DEEDS, deedsOf, missingOf, SATISFACTIONS, usualOf } from "../../agent_ui/static/js/orders/deeds.js";
import { DEED_WORDS } from "../../agent_ui/static/js/orders/deedwords.js";
import { dueWords } from "../../agent_ui/static/js/orders/due.js";
import { actionOf, KEY_ROWS } from "../../agent_ui/static/js/orders/keys.js";
import { timelineOf } from "../../agent_ui/static/js/orders/timeline.js";
import { directoryOf } from "../../agent_ui/static/js/orders/units.js";
import { ORDER_WORDS } from "../../agent_ui/static/js/orders/words.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";
import { SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";

const OWN = together(ORDER_WORDS, DEED_WORDS);
const WORDS = together(SHELL_WORDS, PART_WORDS, OWN);
const t = wordsOf("zh-CN", WORDS);
const PARTS = ["centre", "operator", "department"];

describe("boxes", () => {
  const counts = { states: { draft: 2, accepted: 3, returned: 1, dispatched: 4, closed: 9 }, overdue: 5, due_soon: 6 };

  test("everybody has the boxes of their part", () => {
    assert.equal(partOf(["calls:own", "calls:all"]), "centre");
    assert.equal(partOf(["calls:own"]), "operator");
    assert.equal(partOf(["orders:department"]), "department");
    assert.equal(partOf(["tokens"]), null);
    for (const part of PARTS) assert.ok(boxesOf(part).length <= 9, "one key each");
  });

  test("a number says how many lie there", () => {
    assert.equal(countOf("todo", counts), 4);
    assert.equal(countOf("all", counts), 19);
    assert.equal(countOf("overdue", counts), 5);
    assert.equal(countOf("soon", counts), 6);
    assert.equal(levelOf("overdue"), "bad");
    assert.equal(levelOf("done"), "quiet");
    assert.deepEqual(questionOf("new"), { state: ["dispatched"], by_due: true });
  });

  test("a box counts what it asks for", () => {
    for (const name of PARTS.flatMap(boxesOf)) {
      const { state } = questionOf(name);
      if (state) assert.equal(countOf(name, { states: Object.fromEntries(state.map((one) => [one, 1])) }), state.length);
    }
  });
});

describe("deadlines", () => {
  const now = Date.parse("2026-03-05T10:00:00+08:00");
  const due = (at, state = "handling") => dueWords({ state, due_at: at }, now, t);

  test("in words, never more than there is", () => {
    assert.deepEqual(due("2026-03-05T15:59:00+08:00"), { text: "剩 5 小时", level: "look" });
    assert.deepEqual(due("2026-03-05T10:00:30+08:00"), { text: "剩 1 分钟", level: "look" });
    assert.deepEqual(due("2026-03-07T09:59:00+08:00"), { text: "剩 47 小时", level: null });
    assert.deepEqual(due("2026-03-08T11:00:00+08:00"), { text: "剩 3 天", level: null });
    assert.deepEqual(due("2026-03-03T09:00:00+08:00"), { text: "逾期 2 天", level: "bad" });
    assert.deepEqual(due("2026-03-05T09:20:00+08:00"), { text: "逾期 40 分钟", level: "bad" });
  });

  test("nothing where nobody is waited for", () => {
    assert.equal(due("2026-03-03T09:00:00+08:00", "answered").text, "");
    assert.equal(due(null, "accepted").text, "");
    assert.equal(due(null, "suspended").text, "暂停计时");
  });
});

describe("deeds", () => {
  const order = (...deeds) => ({ deeds });

  test("the usual next one comes first, what goes backwards is none", () => {
    assert.deepEqual(deedsOf(order("merge", "send_back", "take")), ["take", "send_back", "merge"]);
    assert.equal(usualOf(order("send_back", "take")), "take");
    assert.equal(usualOf(order("merge", "rework")), null);
    assert.equal(usualOf(order()), null);
  });

  test("each key means one deed of an order", () => {
    assert.equal(deedOfKey(order("suspend", "take"), "S"), "suspend");
    assert.equal(deedOfKey(order("resume"), "S"), "resume");
    assert.equal(deedOfKey(order("take"), "S"), null);
    // No two deeds with one key are possible at once: those that share a key belong to different states.
    const shared = Object.keys(DEEDS).filter((one) => Object.values(DEEDS).filter(({ key }) => key === DEEDS[one].key).length > 1);
    assert.deepEqual(shared.sort(), ["answer", "answer_at_once", "resume", "suspend"]);
  });

  test("what is missing is told, what is typed is sent", () => {
    assert.equal(missingOf("send_back", { note: " " }), "note");
    assert.equal(missingOf("take", {}), null);
    assert.equal(missingOf("follow_up", { note: "" }), "satisfaction");
    assert.deepEqual(bodyOf("dispatch", { department_id: "SZ05", note: " ", answer: "x" }), { deed: "dispatch", department_id: "SZ05" });
    assert.deepEqual(bodyOf("answer", { answer: " 已修好。 " }), { deed: "answer", answer: "已修好。" });
  });
});

describe("the past", () => {
  test("steps, comments and files stand in one order of time", () => {
    const lines = timelineOf({
      history: [
        { version: 1, at: "2026-03-05T10:00:00Z", author: "li", action: "created", note: "", changes: { summary: [null, "灯"] } },
        {
          version: 2,
          at: "2026-03-05T10:02:00+00:00",
          author: "zhao",
          action: "dispatch",
          note: "急",
          changes: { state: ["accepted", "dispatched"], department_id: [null, "SZ05"], dispatched_at: [null, "x"] },
        },
        { version: 3, at: "2026-03-05T10:05:00Z", author: "qian", action: "answer", note: "", changes: { answer: ["", "已修好。"] } },
      ],
      comments: [{ comment_id: 1, at: "2026-03-05T10:01:00.5+00:00", author: "li", text: "请尽快" }],
      attachments: [
        { attachment_id: 4, name: "现场.png", steps: [{ action: "attached", author: "qian", at: "2026-03-05T10:04:00Z" }] },
      ],
    });
    assert.deepEqual(lines.map(({ key }) => key), ["v1", "c1", "v2", "a4.0", "v3"]);
    assert.deepEqual(lines[0].changes, []);
    assert.deepEqual(lines[2].changes, [{ name: "department_id", before: null, after: "SZ05" }]);
    assert.equal(lines[2].text, "急");
    assert.equal(lines[4].text, "已修好。");
  });
});

describe("two who write at once", () => {
  const base = { ...blankTexts(), summary: "路灯不亮", detail: "两盏" };

  test("what only the other one changed is taken, what both changed stays and is told", () => {
    const theirs = { ...base, summary: "整段路灯不亮", urgency: "紧急" };
    const mine = { ...base, summary: "三盏路灯不亮", address: "环城南路" };
    const { texts, clashes, taken } = merged(base, theirs, mine);
    assert.deepEqual(texts, { ...mine, urgency: "紧急" });
    assert.deepEqual(clashes, [{ name: "summary", theirs: "整段路灯不亮" }]);
    assert.deepEqual(taken, ["urgency"]);
    assert.deepEqual(merged(base, mine, mine).clashes, []);
  });

  test("a content goes into texts and comes back", () => {
    const content = contentOf({ ...base, department_id: "" });
    assert.equal(content.department_id, null);
    assert.deepEqual(textsOf(content), { ...base, department_id: "" });
    assert.deepEqual(differing(base, { ...base, detail: "两盏 " }), []);
  });
});

describe("the directory", () => {
  const units = directoryOf([
    { unit_id: "ZX", name: "热线中心", kind: "中心", parent_id: null },
    { unit_id: "PT", name: "普陀区", kind: "区县", parent_id: "ZX" },
    { unit_id: "PT1", name: "普陀区教育局", kind: "部门", parent_id: "PT" },
    { unit_id: "LH1", name: "建设局", kind: "部门", parent_id: "PT" },
    { unit_id: "S1", name: "市教育局", kind: "部门", parent_id: "ZX" },
  ]);

  test("a name says where it is, once", () => {
    assert.equal(units.nameOf("PT1"), "普陀区教育局");
    assert.equal(units.nameOf("LH1"), "普陀区 建设局");
    assert.equal(units.nameOf("gone"), "gone");
    assert.equal(units.nameOf(null), "");
  });

  test("units are found by words and by their number", () => {
    assert.deepEqual(units.find("教育").map(({ id }) => id), ["PT1", "S1"]);
    assert.deepEqual(units.find("普陀 教育").map(({ id }) => id), ["PT1"]);
    assert.deepEqual(units.find("s1").map(({ id }) => id), ["S1"]);
    assert.deepEqual(units.find("热线"), []);
    assert.deepEqual(units.find(" "), []);
  });
});

describe("keys and words of the page of orders", () => {
  const press = (key, more = {}) => ({ key, keyCode: 0, isComposing: false, isInField: false, ...more });

  test("keys", () => {
    assert.equal(actionOf(press("3")), "box3");
    assert.equal(actionOf(press("D")), "deedD");
    assert.equal(actionOf(press("d", { isInField: true })), null);
    assert.equal(actionOf(press("Enter", { ctrlKey: true, isInField: true })), "save");
    assert.equal(actionOf(press("c", { ctrlKey: true })), null);
    assert.equal(actionOf(press("Escape", { isInField: true })), "back");
    assert.equal(actionOf(press("Escape", { isComposing: true })), null);
  });

  test("both languages have the same keys with the same places to fill", () => {
    const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([one]) => one).sort();
    const [zh, en] = [OWN["zh-CN"], OWN.en];
    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
    const loose = Object.keys(zh).filter((key) => String(places(zh[key])) !== String(places(en[key])));
    assert.deepEqual(loose, []);
  });

  test("every key that the modules name is there, also those that are put together", () => {
    const folder = new URL("../../agent_ui/static/js/orders/", import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), "utf8");
      for (const [, key] of text.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(t.knows(key), `${name}: ${key}`);
    }
    const states = ["draft", "accepted", "dispatched", "handling", "answered", "followed_up", "closed", "returned", "merged", "suspended"];
    const all = [
      ...PARTS.flatMap(boxesOf).map((name) => `box.${name}`),
      ...Object.keys(DEEDS).flatMap((name) => [`deed.${name}`, `did.${name}`]),
      ...states.map((name) => `state.${name}`),
      ...SATISFACTIONS.map((name) => `satisfaction.${name}`),
      ...KEY_ROWS.map(([, name]) => `key.${name}`),
      ...["created", "edited", "absorbed", "commented", "attached", "detached"].map((name) => `did.${name}`),
      ...["written_down", "knowledge", "history", "district"].map((name) => `why.${name}`),
      ...["same_matter", "same_place", "near_place", "same_caller"].map((name) => `alike.${name}`),
      ...TYPES.map((name) => `kind.${name}`),
      ...URGENCIES.map((name) => `haste.${name}`),
      ...Object.keys(textsOf({})).map((name) => `field.${name}`),
    ];
    assert.deepEqual(all.filter((key) => !t.knows(key)), []);
  });

  test("no word of the desk changes its meaning by accident", () => {
    const desk = wordsOf("zh-CN");
    assert.deepEqual(Object.keys(OWN["zh-CN"]).filter((key) => desk.knows(key)), []);
  });
});
