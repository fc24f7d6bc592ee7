// What the knowledge page decides: fields, conflicts, differences, drafts, the list, keys, words.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";
import { EDITOR_WORDS } from "../../agent_ui/static/js/kb/editorwords.js";
import { LEARN_WORDS } from "../../agent_ui/static/js/kb/learnwords.js";
import { VIEW_WORDS } from "../../agent_ui/static/js/kb/viewwords.js";
import { LIST_WORDS } from "../../agent_ui/static/js/kb/words.js";

import { diff, shortened } from "../../agent_ui/static/js/kb/diff.js";
import { openDrafts } from "../../agent_ui/static/js/kb/drafts.js";
import {
  addDays,
  blankTexts,
  conflictsOf,
  contentOf,
  differing,
  faultOf,
  merged,
  textsOf,
  validityOf,
} from "../../agent_ui/static/js/kb/fields.js";
import { actionOf } from "../../agent_ui/static/js/kb/keys.js";
import { emptyListing, isFiltered, questionOf, reduceListing } from "../../agent_ui/static/js/kb/listing.js";

const texts = (changes = {}) => ({ ...blankTexts(), title: "路灯报修", body: "三天内修好。", ...changes });

describe("fields", () => {
  test("an article goes into texts and comes back as it was", () => {
    const article = {
      title: "路灯",
      body: "一。\n二。",
      questions: ["灯坏了", "灯不亮"],
      keywords: ["路灯"],
      category: "市政",
      department: "",
      district: "",
      source: "",
      effective_from: null,
      expires_on: "2026-05-01",
    };
    assert.deepEqual(contentOf(textsOf(article)), article);
  });

  test("lists lose blanks and repetitions; blank ends are no difference", () => {
    assert.deepEqual(contentOf(texts({ questions: " 灯坏了 \n\n灯坏了\n" })).questions, ["灯坏了"]);
    assert.deepEqual(differing(texts(), texts({ title: "路灯报修 ", district: " " })), []);
    assert.deepEqual(differing(texts(), texts({ district: "普陀" })), ["district"]);
  });

  test("what keeps an article from being saved is told with its field", () => {
    assert.equal(faultOf(texts()), null);
    assert.equal(faultOf(texts({ title: " " })).field, "title");
    assert.equal(faultOf(texts({ body: "" })).field, "body");
    assert.equal(faultOf(texts({ questions: "长".repeat(501) })).field, "questions");
    const days = { effective_from: "2026-03-05", expires_on: "2026-03-05" };
    assert.equal(faultOf(texts(days)).field, "expires_on");
  });

  test("validity by the day", () => {
    const on = (from, until) => validityOf({ effective_from: from, expires_on: until }, "2026-03-05");
    assert.equal(on(null, null), "forever");
    assert.equal(on(null, "2026-03-05"), "expired");
    assert.equal(on(null, "2026-03-06"), "soon");
    assert.equal(on(null, "2026-06-01"), "valid");
    assert.equal(on("2026-03-06", null), "later");
    assert.equal(addDays("2026-02-28", 1), "2026-03-01");
  });
});

describe("two people at one article", () => {
  const base = texts();
  const theirs = texts({ body: "五天内修好。", department: "城管局" });
  const yours = texts({ body: "当天修好。", category: "市政" });

  test("only what both changed has to be decided", () => {
    assert.deepEqual(conflictsOf(base, theirs, yours), [
      { name: "body", by: "both" },
      { name: "category", by: "you" },
      { name: "department", by: "them" },
    ]);
  });

  test("what was chosen is taken, everything else is theirs", () => {
    const whole = merged(theirs, yours, { body: "yours", category: "yours", department: "theirs" });
    assert.deepEqual(whole, texts({ body: "当天修好。", category: "市政", department: "城管局" }));
  });
});

describe("differences", () => {
  const apply = (pieces, kinds) =>
    pieces
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ text }) => text)
      .join("");

  test("one word in a sentence", () => {
    assert.deepEqual(diff("一般三天内修好。", "一般五天内修好。"), [
      { kind: "same", text: "一般" },
      { kind: "out", text: "三" },
      { kind: "in", text: "五" },
      { kind: "same", text: "天内修好。" },
    ]);
    assert.deepEqual(diff("同样", "同样"), [{ kind: "same", text: "同样" }]);
    assert.deepEqual(diff("", "新"), [{ kind: "in", text: "新" }]);
    assert.deepEqual(diff("旧", ""), [{ kind: "out", text: "旧" }]);
    assert.deepEqual(diff("", ""), []);
  });

  test("both texts can be read out of it, whatever they are", () => {
    let seed = 7;
    const chance = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    const made = () => Array.from({ length: chance(40) }, () => "甲乙丙😀\n"[chance(5)] ?? "丁").join("");
    for (let round = 0; round < 500; round += 1) {
      const [before, after] = [made(), made()].map((text) => Array.from(text).join(""));
      const pieces = diff(before, after);
      assert.equal(apply(pieces, ["same", "out"]), before);
      assert.equal(apply(pieces, ["same", "in"]), after);
    }
  });

  test("long texts without anything in common take no time", () => {
    const [before, after] = ["甲乙".repeat(9000), "丙丁".repeat(9000)];
    const began = performance.now();
    const pieces = diff(before, after);
    assert.ok(performance.now() - began < 5000);
    assert.equal(apply(pieces, ["in"]), after);
  });

  test("long sameness is cut down around changes", () => {
    const long = "同".repeat(200);
    const [first, , , last] = shortened(diff(`${long}三${long}`, `${long}五${long}`));
    assert.ok(first.text.length < 40 && first.text.startsWith("…"));
    assert.ok(last.text.length < 40 && last.text.endsWith("…"));
  });
});

describe("drafts", () => {
  function memory() {
    const kept = new Map();
    return {
      get length() {
        return kept.size;
      },
      key: (place) => [...kept.keys()][place] ?? null,
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
  }
  const draft = (atMs) => ({ texts: texts(), base: texts(), revision: 1, atMs });

  test("are there again, until they are given up", () => {
    const storage = memory();
    openDrafts(storage).keep("A1", draft(5));
    storage.setItem("other", "x");
    assert.deepEqual(openDrafts(storage).ids(), ["A1"]);
    assert.deepEqual(openDrafts(storage).read("A1"), draft(5));
    openDrafts(storage).forget("A1");
    assert.equal(openDrafts(storage).read("A1"), null);
  });

  test("the oldest goes where there are too many, and is named; what is broken is none", () => {
    const storage = memory();
    const drafts = openDrafts(storage);
    for (let n = 0; n < 50; n += 1) assert.equal(drafts.keep(`A${n}`, draft(n + 10)).dropped, null);
    drafts.keep("A0", draft(100));
    assert.equal(drafts.keep("B", draft(101)).dropped, "A1");
    storage.setItem("zhiting.kb.draft.C", "{");
    assert.equal(drafts.read("C"), null);
  });

  test("no room is told", () => {
    const storage = memory();
    storage.setItem = () => {
      throw new Error("full");
    };
    assert.equal(openDrafts(storage).keep("A1", draft(1)).isKept, false);
  });
});

describe("the list", () => {
  const rows = (...ids) => ids.map((id) => ({ article_id: id, revision: 1 }));
  const after = (...events) => events.reduce(reduceListing, emptyListing());
  const came = (state, ids, total = ids.length) =>
    reduceListing(state, { type: "came", asked: state.asked, total, rows: rows(...ids) });

  test("asks for what is wanted", () => {
    const state = after(
      { type: "filtered", changes: { q: " 路灯 ", body: true, state: "draft" } },
      { type: "ordered", order: "article_id" },
    );
    const question = questionOf(state, "2026-03-05");
    assert.equal(question.q, "路灯");
    assert.equal(question.body, true);
    assert.equal(question.state, "draft");
    assert.equal(question.expires_before, null);
    assert.ok(isFiltered(state));
    const soon = after({ type: "filtered", changes: { show: "expiring" } });
    assert.equal(questionOf(soon, "2026-03-05").expires_before, "2026-04-05");
    assert.equal(questionOf(soon, "2026-03-05").order, "expiry");
    assert.ok(!isFiltered(emptyListing()));
  });

  test("an answer that was overtaken does not count", () => {
    const state = after({ type: "asked" }, { type: "asked" });
    assert.equal(reduceListing(state, { type: "came", asked: 1, total: 1, rows: rows("A") }), state);
    assert.equal(came(state, ["A"]).rows.length, 1);
  });

  test("pages of twenty thousand end where they end", () => {
    let state = came(emptyListing(), ["A"], 20_000);
    state = reduceListing(state, { type: "turned", pages: -1 });
    assert.equal(state.offset, 0);
    state = reduceListing(state, { type: "turned", pages: 9999 });
    assert.equal(state.offset, 19_950);
    assert.equal(reduceListing(state, { type: "turned", pages: 1 }), state);
    const gone = came({ ...state, offset: 19_950 }, [], 120);
    assert.equal(gone.offset, 100);
    assert.equal(gone.phase, "loading");
  });

  test("the cursor walks the rows and stays within them", () => {
    let state = came(emptyListing(), ["A", "B"]);
    for (const [by, id] of [
      [1, "A"],
      [1, "B"],
      [1, "B"],
      [-1, "A"],
      [-1, "A"],
    ]) {
      state = reduceListing(state, { type: "moved", by });
      assert.equal(state.cursor, id);
    }
  });

  test("what was chosen keeps its newest revision, at most 200", () => {
    let state = came(emptyListing(), ["A", "B"]);
    state = reduceListing(state, { type: "chosen", articles: state.rows, isChosen: true });
    state = reduceListing(state, { type: "changed", article: { article_id: "B", revision: 2 } });
    assert.deepEqual(state.chosen, { A: 1, B: 2 });
    const many = rows(...Array.from({ length: 300 }, (_, n) => `M${n}`));
    state = reduceListing(state, { type: "chosen", articles: many, isChosen: true });
    assert.equal(Object.keys(state.chosen).length, 200);
  });
});

describe("keys of the knowledge page", () => {
  const press = (key, more = {}) => ({
    key,
    keyCode: 0,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isInField: false,
    isOnControl: false,
    ...more,
  });

  test("single keys outside fields, saving and going back everywhere", () => {
    assert.equal(actionOf(press("j")), "down");
    assert.equal(actionOf(press("T")), "try");
    assert.equal(actionOf(press("t", { isInField: true })), null);
    assert.equal(actionOf(press("/", { altKey: true, isInField: true })), "try");
    assert.equal(actionOf(press("s", { ctrlKey: true, isInField: true })), "save");
    assert.equal(actionOf(press("Escape", { isInField: true })), "back");
    assert.equal(actionOf(press("Enter", { isOnControl: true })), null);
    assert.equal(actionOf(press("Escape", { isComposing: true })), null);
  });
});

describe("words of the knowledge page", () => {
  const all = together(SHELL_WORDS, PART_WORDS, LIST_WORDS, EDITOR_WORDS, VIEW_WORDS, LEARN_WORDS);

  test("both languages have the same keys with the same places to fill", () => {
    const places = (words) =>
      Object.fromEntries(
        Object.entries(words).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]),
      );
    assert.deepEqual(places(all.en), places(all["zh-CN"]));
  });

  test("every key that the modules name is there", () => {
    const t = wordsOf("en", all);
    const folder = new URL("../../agent_ui/static/js/kb/", import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), "utf8");
      for (const [, key] of text.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(t.knows(key), `${name}: ${key}`);
    }
  });

  test("no word of the desk changes its meaning by accident", () => {
    const desk = wordsOf("zh-CN");
    const mine = Object.keys(all["zh-CN"]).filter((key) => desk.knows(key));
    assert.deepEqual(mine, []);
  });
});
