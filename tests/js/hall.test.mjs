// What the board of the hall decides: the fold of its day, what is counted of it, what is said beside a usual day.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  districtRows,
  matterRows,
  satisfaction,
  trendOf,
  typeRows,
} from "../../agent_ui/static/js/hall/comparing.js";
import { figures, soFar } from "../../agent_ui/static/js/hall/figures.js";
import { coursePoints } from "../../agent_ui/static/js/hall/matters.js";
import { freshness, presentMs, SILENCE_MS } from "../../agent_ui/static/js/hall/present.js";
import { emptyDay, reduce } from "../../agent_ui/static/js/hall/reduce.js";
import {
  age,
  count,
  percent,
  seconds,
  since,
  trendText,
  wholePercent,
} from "../../agent_ui/static/js/hall/saying.js";
import { createOrder, partOf } from "../../agent_ui/static/js/hall/turning.js";
import { HALL_WORDS } from "../../agent_ui/static/js/hall/words.js";
import { wordsOf } from "../../agent_ui/static/js/i18n.js";

const AT = "2026-03-05T10:30:00+08:00";
const NOW_MS = Date.parse(AT);
const flat = (value) => Array(24).fill(value);
const USUAL = {
  days: 4,
  kind: "workday",
  calls: flat(2),
  share_answered: 0.9,
  categories: {},
  districts: {},
  matters: {},
};
const ORDERS = { open: 3, overdue: 1 };

const row = (key, more = {}) => ({
  call_key: key,
  state: "ended",
  arrived_at: "2026-03-05T09:00:00+08:00",
  answered_at: "2026-03-05T09:00:10+08:00",
  ended_at: "2026-03-05T09:05:00+08:00",
  type: "",
  category: "",
  matter: "",
  district: "",
  is_urgent: false,
  ...more,
});
const snapshot = (calls = [], more = {}) => ({
  type: "hall.snapshot",
  seq: 100,
  at: AT,
  day: "2026-03-05",
  from: "2026-03-05T00:00:00+08:00",
  until: "2026-03-06T00:00:00+08:00",
  speed: 1,
  is_simulated: false,
  has_queue: true,
  usual: USUAL,
  calls,
  orders: ORDERS,
  warnings: [],
  ...more,
});
const calls = (seq, some, gone = []) => ({
  type: "hall.calls",
  seq,
  at: AT,
  has_queue: true,
  is_simulated: false,
  calls: some,
  gone,
});
const fold = (...events) => events.reduce(reduce, emptyDay());

describe("the fold of the day", () => {
  test("nothing is known before the snapshot", () => {
    const state = fold(calls(5, [row("a")]), { type: "hall.tick", seq: null, at: AT });
    assert.deepEqual(state, emptyDay());
  });

  test("rows are put in, replaced and taken out by their keys", () => {
    const state = fold(
      snapshot([row("a"), row("b", { state: "talking" })]),
      calls(101, [row("b"), row("c", { state: "waiting" })]),
      calls(102, [], ["a"]),
    );
    assert.deepEqual([...state.rows.keys()], ["b", "c"]);
    assert.equal(state.rows.get("b").state, "ended");
    assert.equal(state.seq, 102);
    assert.equal(state.isWhole, true);
  });

  test("an event that comes twice, or late, changes nothing; not even the object", () => {
    const state = fold(snapshot([]), calls(101, [row("a")]), calls(102, [row("a", { type: "咨询" })]));
    assert.equal(reduce(state, calls(102, [row("a")])), state);
    assert.equal(reduce(state, calls(101, [row("z")])), state);
  });

  test("the same rows taken in twice under new numbers are counted once", () => {
    const once = fold(snapshot([]), calls(101, [row("a"), row("b")]));
    const twice = reduce(once, calls(102, [row("b"), row("a")]));
    assert.deepEqual(figures(twice, NOW_MS), figures(once, NOW_MS));
  });

  test("the state before is left as it was", () => {
    const before = fold(snapshot([row("a")]));
    const kept = structuredClone(before);
    reduce(before, calls(101, [row("b")], ["a"]));
    assert.deepEqual(before, kept);
  });

  test("after a gap it is not whole until a snapshot comes", () => {
    const torn = fold(snapshot([]), calls(104, [row("a")]));
    assert.deepEqual([torn.isWhole, torn.rows.size, torn.seq], [false, 1, 104]);
    assert.equal(reduce(torn, calls(105, [])).isWhole, false);
    assert.equal(reduce(torn, snapshot([], { seq: 105 })).isWhole, true);
    const orders = { type: "hall.orders", seq: 102, at: AT, orders: {} };
    assert.equal(fold(snapshot([]), calls(101, []), orders).isWhole, true);
  });

  test("a snapshot replaces everything, also with a lower number and at midnight", () => {
    const next = snapshot([row("n", { arrived_at: "2026-03-06T00:00:05+08:00" })], {
      seq: 7,
      day: "2026-03-06",
      from: "2026-03-06T00:00:00+08:00",
      until: "2026-03-07T00:00:00+08:00",
      at: "2026-03-06T00:00:06+08:00",
      warnings: [{ warning_id: "w" }],
    });
    const state = fold(snapshot([row("a"), row("b")]), calls(101, [row("c")]), next);
    assert.deepEqual([...state.rows.keys()], ["n"]);
    assert.equal(state.seq, 7);
    assert.equal(figures(state, Date.parse(state.at)).calls, 1);
    assert.equal(state.warnings.length, 1);
  });

  test("blocks are replaced whole, a tick moves the time alone, what is unknown is passed over", () => {
    const begin = fold(snapshot([row("a")]));
    const state = [
      { type: "hall.orders", seq: 101, at: AT, orders: { open: 9 } },
      { type: "hall.warnings", seq: 102, at: AT, warnings: [{ warning_id: "w" }] },
      { type: "hall.tick", seq: null, at: "2026-03-05T10:30:05+08:00" },
    ].reduce(reduce, begin);
    assert.deepEqual([state.orders, state.warnings.length, state.seq], [{ open: 9 }, 1, 102]);
    assert.equal(state.at, "2026-03-05T10:30:05+08:00");
    assert.equal(state.rows, begin.rows);
    assert.equal(reduce(state, { type: "hall.else", seq: 103, at: AT }), state);
  });
});

describe("what is counted", () => {
  const file = new URL("../data/hall_day.json", import.meta.url);

  test("the same as the server counts", () => {
    const told = JSON.parse(readFileSync(file, "utf8"));
    for (const [hasQueue, wanted] of [
      [told.has_queue, told.figures],
      [false, { ...told.figures, ...told.without_queue }],
    ]) {
      const event = snapshot(told.rows, { usual: told.usual, has_queue: hasQueue, at: told.now });
      const found = figures(fold(event), Date.parse(told.now));
      assert.deepEqual(plain(found), wanted);
      for (const name of ["types", "categories", "districts", "matters"]) {
        assert.deepEqual([...found[name].keys()], Object.keys(wanted[name]), `the order of ${name}`);
      }
    }
  });

  test("who called before midnight and still talks is there, but not one of today's", () => {
    const late = row("y", { state: "talking", arrived_at: "2026-03-04T23:58:00+08:00", type: "咨询" });
    const found = figures(fold(snapshot([late, row("a")])), NOW_MS);
    assert.deepEqual([found.talking, found.calls, found.types.size, found.answered], [1, 1, 0, 1]);
  });

  test("what is usual by now is the hours that are over and a part of this one", () => {
    const state = fold(snapshot([]));
    assert.equal(figures(state, NOW_MS).usual_so_far, 21);
    assert.equal(soFar(flat(2), state, Date.parse(state.from)), 0);
    assert.equal(soFar(flat(2), state, Date.parse(state.until)), 48);
    assert.equal(figures(fold(snapshot([], { usual: { ...USUAL, days: 0 } })), NOW_MS).usual_so_far, null);
  });

  test("there is no share of the answered without a queue, or before anybody was", () => {
    const some = [row("a"), row("b", { state: "abandoned", answered_at: null })];
    assert.equal(figures(fold(snapshot(some)), NOW_MS).share_answered, 0.5);
    assert.equal(figures(fold(snapshot(some, { has_queue: false })), NOW_MS).share_answered, null);
    assert.equal(figures(fold(snapshot([])), NOW_MS).share_answered, null);
  });

  test("two hundred calls at once, in any order and cut into any events, are two hundred", () => {
    const some = Array.from({ length: 200 }, (_, n) =>
      row(`k${n}`, { district: n % 3 === 0 ? "新城" : "六横" }),
    );
    const states = [
      fold(snapshot(some)),
      fold(snapshot([]), calls(101, some)),
      fold(snapshot([]), ...some.toReversed().map((one, n) => calls(101 + n, [one]))),
    ];
    for (const state of states) {
      const found = figures(state, NOW_MS);
      assert.deepEqual(
        [found.calls, found.districts.get("新城"), found.districts.get("六横")],
        [200, 67, 133],
      );
    }
  });
});

describe("beside a usual day", () => {
  test("what chance does is as usual, what is much more is worth a look", () => {
    assert.equal(trendOf(10, null).way, "none");
    assert.deepEqual(trendOf(104, 100), { way: "same", percent: 0, times: null, isToLookAt: false });
    assert.deepEqual(trendOf(120, 100), { way: "up", percent: 20, times: null, isToLookAt: false });
    assert.deepEqual(trendOf(60, 100), { way: "down", percent: -40, times: null, isToLookAt: false });
    assert.deepEqual(trendOf(250, 100), { way: "up", percent: 150, times: 2.5, isToLookAt: true });
    assert.deepEqual(trendOf(3, 0), { way: "new", percent: 0, times: null, isToLookAt: false });
    assert.equal(trendOf(6, 0.1).isToLookAt, true);
    assert.equal(trendOf(1, 0).way, "same");
    assert.equal(trendOf(1600, 1440).isToLookAt, false, "a tenth more of a whole day");
  });

  test("types stand in their order whatever they count, and share what has a type", () => {
    const found = typeRows({
      types: new Map([
        ["投诉", 3],
        ["咨询", 1],
      ]),
    });
    assert.deepEqual(
      found.map((one) => [one.name, one.count, one.share]),
      [
        ["咨询", 1, 0.25],
        ["求助", 0, 0],
        ["投诉", 3, 0.75],
        ["建议", 0, 0],
        ["举报", 0, 0],
      ],
    );
    assert.equal(typeRows({ types: new Map() })[0].share, 0);
  });

  test("districts keep their places all day, also one without a call yet", () => {
    const usual = { ...USUAL, districts: { 新城: flat(1), 定海区: flat(5) } };
    const early = fold(snapshot([row("a", { district: "新城" })], { usual }));
    const later = fold(
      snapshot([row("a", { district: "定海区" }), row("b", { district: "六横" })], { usual }),
    );
    const names = (state) => districtRows(state, figures(state, NOW_MS), NOW_MS).map(({ name }) => name);
    assert.deepEqual(names(early), ["定海区", "新城"]);
    assert.deepEqual(names(later), ["定海区", "新城", "六横"]);
  });

  test("the course of a matter counts whole hours back from now", () => {
    const at = (time) => `2026-03-05T${time}+08:00`;
    const some = ["10:29:59", "09:31:00", "09:30:00", "08:00:00", "00:10:00"].map((time, n) =>
      row(String(n), { matter: "停水", arrived_at: at(time) }),
    );
    const state = fold(snapshot(some));
    const [found] = matterRows(state, figures(state, NOW_MS), NOW_MS, 5);
    assert.equal(found.count, 5);
    assert.equal(found.course.length, 10);
    // The last hour, the two before it; 00:10 is in an hour that is not whole.
    assert.deepEqual([found.course.at(-1), found.course.at(-2), found.course.at(-3)], [2, 1, 1]);
    assert.equal(
      found.course.reduce((sum, one) => sum + one),
      4,
    );
  });

  test("nobody asked is not nobody satisfied", () => {
    assert.equal(satisfaction({ satisfied: 0, neutral: 0, unsatisfied: 0, unreached: 5 }).share, null);
    const some = satisfaction({ satisfied: 3, neutral: 1, unsatisfied: 0, unreached: 5 });
    assert.deepEqual([some.share, some.said, some.parts.neutral], [0.75, 4, 0.25]);
  });
});

describe("time and age", () => {
  test("the present goes on by the stopwatch, at the speed of the day", () => {
    assert.equal(presentMs({ serverMs: 1000, heardMs: 50, speed: 1 }, 550), 1500);
    assert.equal(presentMs({ serverMs: 1000, heardMs: 50, speed: 100 }, 550), 51_000);
    assert.equal(presentMs({ serverMs: 1000, heardMs: 50, speed: 1 }, 40), 1000);
  });

  test("silence makes the board stale, a line that mends itself at once does not", () => {
    const heard = { serverMs: 0, heardMs: 1000, speed: 1 };
    assert.equal(freshness(null, null, 0).level, "waiting");
    assert.equal(freshness(null, 4401, 0).level, "refused");
    assert.equal(freshness(heard, null, 3000).level, "live");
    assert.deepEqual(freshness(heard, null, 1001 + SILENCE_MS), { level: "stale", ageS: 15 });
    assert.equal(freshness(heard, 4401, 2000).level, "stale");
  });
});

describe("lists that are longer than their panel", () => {
  const items = ["a", "b", "c", "d", "e"].map((name) => ({ name }));

  test("every item comes up, and nothing turns where all fit or nothing may move", () => {
    const seen = [0, 1, 2].flatMap((turn) => partOf(items, 2, turn).shown);
    assert.deepEqual(seen, items);
    assert.equal(partOf(items, 2, 3).page, 0);
    assert.deepEqual(partOf(items, 5, 7), { shown: items, page: 0, pages: 1, first: 0, others: 0 });
    const still = partOf(items, 2, null);
    assert.deepEqual([still.page, still.others], [0, 3]);
    assert.deepEqual(partOf([], 3, 4).shown, []);
  });

  test("places change at a turn and not before; new ones go to the end", () => {
    const order = createOrder();
    const names = (some) => some.map(({ name }) => name).join("");
    assert.equal(names(order(items.slice(0, 3), 1)), "abc");
    assert.equal(names(order([items[2], items[3], items[0], items[1]], 1)), "abcd");
    assert.equal(names(order([items[2], items[3], items[0], items[1]], 2)), "cdab");
  });

  test("a course fills its box and no point lies outside", () => {
    assert.equal(coursePoints([0, 2, 1], 100, 40), "0.0,38.0 50.0,2.0 100.0,20.0");
    assert.equal(coursePoints([0, 0], 100, 40), "0.0,38.0 100.0,38.0");
  });
});

describe("how figures are said", () => {
  const t = wordsOf("zh-CN", HALL_WORDS);

  test("only all is 100 %, only none is 0 %", () => {
    assert.deepEqual([0, 0.0001, 0.5, 0.9621, 0.9999, 1, null].map(percent), [
      "0%",
      "0.1%",
      "50.0%",
      "96.2%",
      "99.9%",
      "100%",
      "—",
    ]);
  });

  test("numbers, times, ages", () => {
    assert.deepEqual([0.528, 0.005, 0].map(wholePercent), ["53%", "1%", "0%"]);
    assert.deepEqual([count(1249), count(161.9), count(null)], ["1,249", "162", "—"]);
    assert.deepEqual([seconds(42.9, t), seconds(80, t)], ["42 秒", "1 分 20 秒"]);
    assert.deepEqual([age(16, t), age(192, t), age(7300, t)], ["16 秒", "3 分钟", "2 小时"]);
    assert.equal(since("2026-03-05T07:40:00+08:00", "2026-03-05", t), "07:40 起");
    assert.equal(since("2026-03-04T23:40:00+08:00", "2026-03-05", t), "3月4日 23:40 起");
  });

  test("a trend has its word, long and short", () => {
    const said = (number, usual, how) => trendText(trendOf(number, usual), t, how);
    assert.deepEqual(
      [said(60, 100), said(120, 100), said(250, 100), said(100, 100), said(5, null)],
      ["▼ 40%", "▲ 20%", "▲ 2.5 倍", "持平", ""],
    );
    assert.equal(said(60, 100, "trend.ofUsual"), "▼ 比平日少 40%");
  });

  test("both languages have the same keys with the same places to fill", () => {
    const places = (one) =>
      Object.fromEntries(
        Object.entries(one).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]),
      );
    assert.deepEqual(places(HALL_WORDS.en), places(HALL_WORDS["zh-CN"]));
  });

  test("every key that the modules name is there, and none is there for nothing", () => {
    const folder = new URL("../../agent_ui/static/js/hall/", import.meta.url);
    const all = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")]);
    for (const [name, text] of all) {
      for (const [, key] of text.matchAll(/\bt\(\s*"([\w.]+)"/g)) assert.ok(t.knows(key), `${name}: ${key}`);
    }
    const source = all
      .filter(([name]) => name !== "words.js")
      .map(([, text]) => text)
      .join("\n");
    const composed = /^(trend|type|kind|fresh|issues|orders|refused|answer)\./;
    const unused = Object.keys(HALL_WORDS.en).filter(
      (key) => !composed.test(key) && !source.includes(`"${key}"`),
    );
    assert.deepEqual(unused, []);
  });
});

function plain(found) {
  return Object.fromEntries(
    Object.entries(found).map(([key, value]) => [
      key,
      value instanceof Map ? Object.fromEntries(value) : value,
    ]),
  );
}
