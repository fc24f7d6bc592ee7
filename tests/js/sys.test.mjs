// What the system page decides of settings, the state of the machine, the log, keys and words.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { moment } from "../../agent_ui/static/js/parts.js";
import { pagesFor } from "../../agent_ui/static/js/shell.js";
import {
  dayStart,
  DEEDS,
  deedText,
  isBackwards,
  isFiltered,
  noFilters,
  questionOf,
  targetText,
} from "../../agent_ui/static/js/sys/deeds.js";
import { actionOf, KEY_ROWS } from "../../agent_ui/static/js/sys/keys.js";
import * as people from "../../agent_ui/static/js/sys/people.js";
import { ageS, bytes, issuesOf, nameOf, shownValue, span } from "../../agent_ui/static/js/sys/reading.js";
import * as settings from "../../agent_ui/static/js/sys/settingstate.js";
import { ALL, zh } from "./sys_words.mjs";

describe("settings", () => {
  const score = {
    name: "enter_score",
    group: "cards",
    kind: "number",
    value: 0.4,
    default: 0.4,
    least: 0.1,
    most: 0.9,
    changed_by: null,
  };
  const calls = {
    name: "max_calls",
    group: "calls",
    kind: "whole",
    value: 20,
    default: 16,
    least: 1,
    most: 64,
    changed_by: "admin",
  };
  const review = {
    name: "kb_review",
    group: "knowledge",
    kind: "switch",
    value: false,
    default: false,
    least: null,
    most: null,
    changed_by: null,
  };
  const kinds = {
    name: "days_by_kind",
    group: "keeping",
    kind: "terms",
    value: "举报 1825/3650",
    default: "",
    least: null,
    most: null,
    changed_by: "admin",
  };
  const came = { type: "came", settings: [score, calls, review], tag: '"1"' };
  const after = (...events) => [came, ...events].reduce(settings.reduceSettings, settings.emptySettings());
  const typed = (name, text) => ({ type: "typed", name, text });

  test("what is typed back to what it was is no change", () => {
    assert.deepEqual(settings.changesOf(after()), {});
    assert.deepEqual(settings.changesOf(after(typed("max_calls", "24"))), { max_calls: 24 });
    assert.deepEqual(settings.changesOf(after(typed("max_calls", "24"), typed("max_calls", " 20"))), {});
    assert.deepEqual(settings.changesOf(after(typed("kb_review", "on"))), { kb_review: true });
    assert.deepEqual(settings.changesOf(after(typed("kb_review", "on"), { type: "reverted" })), {});
  });

  test("back to the default is null, and nothing where nobody has changed it", () => {
    const state = after({ type: "reset", name: "max_calls" }, { type: "reset", name: "enter_score" });
    assert.deepEqual(settings.changesOf(state), { max_calls: null });
    assert.equal(settings.shownText(state, calls), "16");
  });

  test("what is wrong is told by its kind; full-width digits are digits", () => {
    const fault = settings.faultOf;
    assert.equal(fault(score, "0.5"), null);
    assert.equal(fault(score, "０．５"), null);
    assert.equal(fault(score, ""), "empty");
    assert.equal(fault(score, "1e3"), "number");
    assert.equal(fault(score, "多"), "number");
    assert.equal(fault(score, "0.95"), "range");
    assert.equal(fault(calls, "2.5"), "whole");
    assert.equal(fault(calls, "0"), "range");
    assert.equal(fault(calls, "64"), null);
    assert.equal(fault(review, "on"), null);
    assert.equal(
      settings.firstFault(after(typed("max_calls", "900"), typed("kb_review", "on"))).name,
      "max_calls",
    );
    assert.equal(settings.firstFault(after(typed("max_calls", "9"))), null);
  });

  test("a line of types and days is sent as it is typed, and one that cannot be read is not", () => {
    const fault = (text) => settings.faultOf(kinds, text);
    for (const text of ["", "举报 1825/3650", "举报 １８２５／３６５０；咨询 0 / 30;", "非警情 求助 1/2"]) {
      assert.equal(fault(text), null, text);
    }
    for (const text of ["举报", "举报 1825", "1825/3650", "举报1/2", "举报 1/2，咨询 3/4", "举报 -1/2；x"]) {
      assert.equal(fault(text), "terms", text);
    }
    const only = { type: "came", settings: [kinds], tag: '"1"' };
    const state = [only, typed("days_by_kind", " 咨询 30/90 ")].reduce(
      settings.reduceSettings,
      settings.emptySettings(),
    );
    assert.deepEqual(settings.changesOf(state), { days_by_kind: "咨询 30/90" });
    assert.deepEqual(settings.reverseOf(state, { days_by_kind: "" }), { days_by_kind: "举报 1825/3650" });
  });

  test("somebody else's change is marked at what is typed, and everything else follows it", () => {
    const theirs = {
      type: "came",
      settings: [{ ...score, value: 0.5 }, { ...calls, value: 30 }, review],
      tag: '"2"',
    };
    const state = after(typed("max_calls", "24"), theirs);
    assert.deepEqual(settings.changesOf(state), { max_calls: 24 });
    assert.deepEqual(state.overtaken, ["max_calls"]);
    assert.equal(settings.shownText(state, state.settings[0]), "0.5");
    assert.deepEqual(settings.reduceSettings(state, { type: "reverted" }).overtaken, []);
  });

  test("what is typed while a save is under way stays open", () => {
    const before = after(typed("max_calls", "24"), typed("enter_score", "0.6"));
    const meanwhile = settings.reduceSettings(before, typed("max_calls", "25"));
    const saved = settings.reduceSettings(meanwhile, {
      type: "saved",
      settings: [{ ...score, value: 0.6 }, { ...calls, value: 24 }, review],
      tag: '"3"',
      sent: before.typed,
    });
    assert.deepEqual(settings.changesOf(saved), { max_calls: 25 });
  });

  test("a save is taken back to what was, or to the default where nobody had chosen", () => {
    assert.deepEqual(settings.reverseOf(after(), { max_calls: 24, enter_score: 0.6 }), {
      enter_score: null,
      max_calls: 20,
    });
  });

  test("a failed read leaves what is there", () => {
    assert.equal(
      settings.reduceSettings(settings.emptySettings(), { type: "failed", error: {} }).phase,
      "failed",
    );
    assert.equal(after({ type: "failed", error: {} }).phase, "ready");
    assert.deepEqual(
      settings.grouped(after().settings).map(({ name }) => name),
      ["cards", "calls", "knowledge"],
    );
  });
});

describe("the state of the machine", () => {
  const shown = (value, unit = "", limit = null) => shownValue({ value, unit, limit }, zh);

  test("values as people read them", () => {
    assert.equal(shown(null), "—");
    assert.equal(shown(true), "是");
    assert.equal(shown("0.1.0"), "0.1.0");
    assert.equal(shown(1234, "count"), "1,234");
    assert.equal(shown(3, "count", 16), "3 / 16");
    assert.equal(shown(0.437, "share"), "44%");
    assert.equal(shown(12.3 * 1024 ** 3, "bytes"), "12.3 GB");
    const free = { value: 12.3e9, unit: "bytes", limit: 200e6 };
    assert.equal(shownValue(free, zh, "disk"), "12.3 GB（至少 200 MB）");
    assert.equal(shown("2026-03-05T02:30:00Z", "time").slice(-5), "10:30");
    assert.equal(bytes(0), "0 B");
    assert.equal(bytes(1536), "1.5 KB");
    assert.equal(bytes(200 * 1024 ** 2), "200 MB");
    assert.equal(span(0, "zh-CN"), "0秒");
    assert.equal(span(0.42, "zh-CN"), "0.4秒");
    assert.equal(span(192, "zh-CN"), "3分12秒");
    assert.equal(span(2 * 3600 + 300, "zh-CN"), "2小时5分");
    assert.equal(span(3 * 86400 + 4 * 3600, "zh-CN"), "3天4小时");
    assert.equal(span(3 * 86400, "en"), "3d 0h");
  });

  test("the bad comes before what wants a look; unknown names are shown as they are", () => {
    const rows = (...levels) => levels.map((level, n) => ({ name: `r${n}`, level }));
    const state = {
      sections: [
        { name: "disk", rows: rows("ok", "look") },
        { name: "ears", rows: rows("bad") },
      ],
    };
    assert.deepEqual(
      issuesOf(state).map(({ section, row }) => `${section}.${row.name}`),
      ["ears.r0", "disk.r1"],
    );
    assert.equal(nameOf(zh, "disk", "free"), "剩余空间");
    assert.equal(nameOf(zh, "weights", "large-v3"), "large-v3");
    assert.equal(ageS(1000, 4999), 3);
    assert.equal(ageS(5000, 1000), 0);
  });
});

describe("the log", () => {
  test("what was done is told in words, and as it is where there are none", () => {
    assert.equal(deedText("PATCH /v1/accounts/{name}", zh), "修改账号");
    assert.equal(deedText("session.opened", zh), "登录");
    assert.equal(deedText("POST /v9/new", zh), "POST /v9/new");
    assert.equal(deedText("toString", zh), "toString");
  });

  test("what it was done to is told in words, names are left alone", () => {
    const said = (action, target) => targetText(action, target, zh);
    assert.equal(
      said("PATCH /v1/system/settings", "max_calls 16→20，kb_review 关→开，own 1→2"),
      "同时通话的上限 16→20，知识须由他人审核 关→开，own 1→2",
    );
    assert.equal(
      said(
        "PATCH /v1/accounts/{name}",
        "li display_name li→李敏，role operator→admin，is_active 是→否，password",
      ),
      "li：姓名 li→李敏，角色 坐席→管理员，可登录 是→否，密码",
    );
    assert.equal(said("POST /v1/accounts", "role role=operator"), "role：角色 坐席");
    assert.equal(said("PATCH /v1/accounts/{name}", "li"), "li");
    assert.equal(
      said("POST /v1/tokens", "电话 交换机 audio,calls:all"),
      "电话 交换机：送入通话声音、看所有通话",
    );
    assert.equal(said("DELETE /v1/tokens/{token_id}", "3 旧大屏"), "旧大屏");
    assert.equal(said("POST /v1/kb/bulk", "approve A1 A2"), "通过 A1 A2");
    assert.equal(said("PUT /v1/articles/{article_id}", "max_calls role"), "max_calls role");
  });

  test("days are asked for as they begin in the zone, the last one whole", () => {
    const filters = { ...noFilters(), who: " li ", about: "tokens", from: "2026-03-05", to: "2026-03-31" };
    assert.deepEqual(questionOf(filters, "Asia/Shanghai"), {
      who: "li",
      q: null,
      action: ["POST /v1/tokens", "DELETE /v1/tokens/{token_id}"],
      since: "2026-03-05T00:00:00+08:00",
      until: "2026-04-01T00:00:00+08:00",
    });
    assert.equal(dayStart("2026-03-05", "UTC"), "2026-03-05T00:00:00+00:00");
    assert.ok(isFiltered(filters) && !isFiltered(noFilters()));
    assert.ok(isBackwards({ from: "2026-03-05", to: "2026-03-04" }));
    assert.ok(!isBackwards({ from: "2026-03-05", to: "" }));
  });

  test("moments have seconds where they are wanted, and the year where it is another", () => {
    const now = new Date("2026-06-01T00:00:00Z");
    assert.equal(moment("2026-03-05T02:32:05Z", zh, { now, withSeconds: true }), "3月5日 10:32:05");
    assert.equal(moment("2025-03-05T02:32:05Z", zh, { now }), "2025年3月5日 10:32");
  });
});

describe("finding the page", () => {
  const names = (scopes, active) => pagesFor(scopes, active).map(({ name }) => name);

  test("one finds what one may use", () => {
    assert.deepEqual(names(["calls:own"], "desk"), ["desk", "orders"]);
    assert.deepEqual(names(["tokens"], "desk"), ["desk", "system"]);
    assert.deepEqual(names(["system", "knowledge:write"], "desk"), ["desk", "knowledge", "system"]);
    assert.deepEqual(names(["calls:own", "recordings"], "desk"), ["desk", "orders", "recordings"]);
    assert.deepEqual(names([], "knowledge"), ["knowledge"]);
    assert.deepEqual(names(["hall"], "hall"), ["hall"]);
    assert.deepEqual(names(["orders:department"], "orders"), ["orders", "warnings", "reports"]);
  });

  test("keys", () => {
    const press = (key, more = {}) => ({ key, keyCode: 0, isComposing: false, isInField: false, ...more });
    assert.equal(actionOf(press("4")), "view4");
    assert.equal(actionOf(press("4", { isInField: true })), null);
    assert.equal(actionOf(press("？")), "help");
    assert.equal(actionOf(press("s", { ctrlKey: true, isInField: true })), "save");
    assert.equal(actionOf(press("r", { ctrlKey: true })), null);
    assert.equal(actionOf(press("Escape", { isInField: true })), "back");
    assert.equal(actionOf(press("Escape", { isComposing: true })), null);
    assert.equal(actionOf(press("n", { altKey: true })), null);
  });
});

describe("words of the system page", () => {
  test("both languages have the same keys with the same places to fill", () => {
    const places = (words) =>
      Object.fromEntries(
        Object.entries(words).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]),
      );
    assert.deepEqual(places(ALL.en), places(ALL["zh-CN"]));
  });

  test("every key that the modules name is there, also those that are put together", () => {
    const folder = new URL("../../agent_ui/static/js/sys/", import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), "utf8");
      for (const [, key] of text.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(zh.knows(key), `${name}: ${key}`);
    }
    const all = [
      ...Object.values(DEEDS).flatMap((deeds) => Object.values(deeds).map((deed) => `deed.${deed}`)),
      ...Object.keys(DEEDS).map((name) => `about.${name}`),
      ...people.ROLES.flatMap((role) => [`role.${role}`, `role.${role}.how`, `role.${role}.short`]),
      ...people.TOKEN_SCOPES.flatMap((scope) => [`scope.${scope}`, `scope.${scope}.how`]),
      ...["holds", "soon", "expired", "revoked"].map((state) => `token.state.${state}`),
      ...["empty", "number", "whole", "range"].map((fault) => `setting.fault.${fault}`),
      ...["ok", "look", "bad"].flatMap((level) => [`level.${level}`, `state.overall.${level}`]),
      ...KEY_ROWS.map(([, key]) => `key.${key}`),
    ];
    assert.deepEqual(
      all.filter((key) => !zh.knows(key)),
      [],
    );
  });

  test("no word of the desk changes its meaning by accident", () => {
    const desk = wordsOf("zh-CN");
    assert.deepEqual(
      Object.keys(ALL["zh-CN"]).filter((key) => desk.knows(key)),
      [],
    );
  });
});
