// The page's other decisions: words, keys, waiting, what to follow, what to say.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { choiceFrom, streamOf } from "../../agent_ui/static/js/follow.js";
import {
  clockTime,
  day,
  duration,
  labelledLines,
  maskedNumber,
  pieces,
  timer,
  today,
} from "../../agent_ui/static/js/format.js";
import { DICTIONARIES, wordsOf } from "../../agent_ui/static/js/i18n.js";
import { DESK_WORDS } from "../../agent_ui/static/js/desk_words.js";
import { actionOf } from "../../agent_ui/static/js/keys.js";
import { quietLine } from "../../agent_ui/static/js/notice.js";
import { emptyCall } from "../../agent_ui/static/js/reduce.js";
import { lineAt } from "../../agent_ui/static/js/seek.js";
import { delayMs } from "../../agent_ui/static/js/socket.js";

const T0 = Date.parse("2026-03-05T02:32:05Z");

describe("values as people read them", () => {
  test("times are those of the hall, whatever the PC's zone", () => {
    assert.equal(clockTime(T0), "10:32:05");
    assert.equal(today(Date.parse("2026-03-05T16:30:00Z")), "2026-03-06");
  });

  test("durations and days", () => {
    assert.equal(timer(192.9), "03:12");
    assert.equal(timer(3792), "1:03:12");
    assert.equal(duration(192, "zh-CN"), "3分12秒");
    assert.equal(duration(12, "en"), "12s");
    assert.equal(day("2026-03-05", "zh-CN"), "2026年3月5日");
    assert.equal(day("2026-03-05", "en"), "5 Mar 2026");
  });

  test("a caller's number is masked, a short one too", () => {
    assert.equal(maskedNumber("13805802316"), "138****2316");
    assert.equal(maskedNumber("05801234567"), "058****4567");
    assert.equal(maskedNumber("12345"), "***45");
  });

  test("a corrected line is cut at its corrections, by characters", () => {
    const fix = (start, heard, written) => ({ start, heard, written, reason: "lexicon" });
    assert.deepEqual(pieces("😀定海积水了", [fix(3, "机水", "积水"), fix(1, "丁海", "定海")]), [
      { text: "😀", heard: null },
      { text: "定海", heard: "丁海" },
      { text: "积水", heard: "机水" },
      { text: "了", heard: null },
    ]);
  });

  test("a correction that no longer fits is left out", () => {
    const stale = [{ start: 1, heard: "甲", written: "乙", reason: "" }];
    assert.deepEqual(pieces("积水", stale), [{ text: "积水", heard: null }]);
  });

  test("an article's lines have their label, the answer has none", () => {
    assert.deepEqual(labelledLines("马上登记。\n\n需要材料：身份证：原件。"), [
      { label: "", text: "马上登记。" },
      { label: "需要材料", text: "身份证：原件。" },
    ]);
  });
});

describe("words", () => {
  test("both languages have the same keys with the same places to fill", () => {
    const places = (words) =>
      Object.fromEntries(
        Object.entries(words).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]),
      );
    for (const words of [DICTIONARIES, DESK_WORDS]) assert.deepEqual(places(words.en), places(words["zh-CN"]));
  });
});

describe("keys", () => {
  const press = (key, more = {}) => ({
    key,
    keyCode: 0,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isInField: false,
    ...more,
  });

  test("single keys mean something, capitals and full-width ones too", () => {
    assert.equal(actionOf(press("2")), "expand1");
    assert.equal(actionOf(press("C")), "copy");
    assert.equal(actionOf(press("？")), "help");
    assert.equal(actionOf(press("q")), null);
  });

  test("they rest in fields, in composition and with the browser's modifiers", () => {
    for (const more of [
      { isInField: true },
      { isComposing: true },
      { keyCode: 229 },
      { ctrlKey: true },
      { altKey: true },
    ]) {
      assert.equal(actionOf(press("c", more)), null);
    }
  });
});

describe("waiting for the server", () => {
  test("doubles from half a second to eight, with chance in its upper half", () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 20].map((n) => delayMs(n, 1)),
      [500, 1000, 2000, 4000, 8000, 8000, 8000],
    );
    assert.equal(delayMs(4, 0), 4000);
  });
});

describe("which stream is watched", () => {
  const live = (id) => ({ call_id: id, state: "live" });
  const path = (id) => `v1/screens/calls/${id}`;

  test("the address may ask for a call or an operator", () => {
    assert.deepEqual(choiceFrom("?call=a%2Fb"), { kind: "call", id: "a/b" });
    assert.deepEqual(choiceFrom("?call=c-1&at=62.5"), { kind: "call", id: "c-1", atS: 62.5 });
    assert.deepEqual(choiceFrom("?call=c-1&at=soon"), { kind: "call", id: "c-1" });
    assert.deepEqual(choiceFrom("?operator=027"), { kind: "operator", id: "027" });
    assert.deepEqual(choiceFrom(""), { kind: "newest" });
    assert.equal(streamOf({ kind: "call", id: "a/b" }, [live("x")], null), path("a%2Fb"));
    assert.equal(streamOf({ kind: "operator", id: "027" }, [], null), "v1/screens/operators/027");
  });

  test("otherwise the newest live call, but never away from a live one", () => {
    const newest = { kind: "newest" };
    assert.equal(streamOf(newest, [], null), null);
    assert.equal(streamOf(newest, [live("b"), live("a")], null), path("b"));
    assert.equal(streamOf(newest, [live("c"), live("b")], path("b")), path("b"));
    assert.equal(streamOf(newest, [live("c"), { call_id: "b", state: "ended" }], path("b")), path("c"));
    assert.equal(streamOf(newest, [{ call_id: "b", state: "ended" }], path("b")), path("b"));
  });
});

describe("the quiet line", () => {
  const t = wordsOf("zh-CN");
  const call = { call_id: "c1", state: "live", seconds: 93 };
  const at = (ms) => new Date(T0 + ms).toISOString();
  const say = (more, isOnline = true, ms = 0) =>
    quietLine({ state: { ...emptyCall(), isLoaded: true, call, ...more }, isOnline, serverMs: T0 + ms }, t);

  test("says nothing is wrong, and what is", () => {
    assert.deepEqual(say({}), { level: "ok", text: "识别正常" });
    assert.equal(say({ lagS: 2.9 }).level, "ok");
    assert.deepEqual(say({ lagS: 4.6 }), { level: "look", text: "文字比说话慢约 5 秒，正在赶上" });
    assert.equal(say({ lagS: 9 }, false).level, "bad");
  });

  test("a lost second is told for a minute, and again in sum at the end", () => {
    const notices = [{ code: "asr.audio_dropped", seconds: 3.2, message: "m", at: at(0) }];
    assert.equal(say({ notices }).text, "有 3 秒声音来不及识别，稍后补上");
    assert.equal(say({ notices }, true, 61_000).level, "ok");
    const ended = { ...call, state: "ended" };
    assert.equal(say({ notices, call: ended }).text, "通话已结束，共 1分33秒；其间有 1 处声音不完整");
  });

  test("an unknown trouble is told in the server's words, with its code", () => {
    const notices = [{ code: "x.y", seconds: null, message: "线路有杂音", at: at(0) }];
    assert.equal(say({ notices }).text, "线路有杂音（x.y）");
  });
});

describe("a place in a call", () => {
  const line = (start_s, end_s) => ({ start_s, end_s });
  const lines = [line(1, 4), line(3.5, 6), line(20, 25)];

  test("is the line that is said then, the later one of two", () => {
    assert.equal(lineAt(lines, 3.5), lines[1]);
    assert.equal(lineAt(lines, 2), lines[0]);
    assert.equal(lineAt(lines, 20), lines[2]);
  });

  test("in silence is the line that begins nearest", () => {
    assert.equal(lineAt(lines, 18), lines[2]);
    assert.equal(lineAt(lines, 0), lines[0]);
    assert.equal(lineAt(lines, 9000), lines[2]);
    assert.equal(lineAt([], 3), null);
  });
});
