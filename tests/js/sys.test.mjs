// What the system page decides: accounts, tokens, terms, settings, the state of the machine, the log, keys, words.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { moment, PART_WORDS } from "../../agent_ui/static/js/parts.js";
import { pagesFor, SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";
import { AUDIT_WORDS } from "../../agent_ui/static/js/sys/auditwords.js";
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
import { LEXICON_WORDS } from "../../agent_ui/static/js/sys/lexiconwords.js";
import * as people from "../../agent_ui/static/js/sys/people.js";
import { PEOPLE_WORDS } from "../../agent_ui/static/js/sys/peoplewords.js";
import { ageS, bytes, issuesOf, nameOf, shownValue, span } from "../../agent_ui/static/js/sys/reading.js";
import * as settings from "../../agent_ui/static/js/sys/settingstate.js";
import { SETTING_WORDS } from "../../agent_ui/static/js/sys/settingwords.js";
import { STATE_WORDS } from "../../agent_ui/static/js/sys/statewords.js";
import * as terms from "../../agent_ui/static/js/sys/terms.js";
import { SYS_WORDS } from "../../agent_ui/static/js/sys/words.js";

const ALL = together(
  SHELL_WORDS,
  PART_WORDS,
  SYS_WORDS,
  PEOPLE_WORDS,
  LEXICON_WORDS,
  SETTING_WORDS,
  STATE_WORDS,
  AUDIT_WORDS,
);
const zh = wordsOf("zh-CN", ALL);

describe("accounts", () => {
  const li = {
    name: "li",
    display_name: "李敏",
    role: "operator",
    operator_id: "027",
    is_active: true,
    has_password: true,
  };

  test("only what differs is sent, and can be taken back", () => {
    const texts = people.textsOf(li);
    assert.deepEqual(people.changesOf(li, texts), {});
    assert.deepEqual(people.changesOf(li, { ...texts, display_name: " 李敏 " }), {});
    const changes = people.changesOf(li, { ...texts, role: "supervisor", operator_id: "" });
    assert.deepEqual(changes, { role: "supervisor", operator_id: "" });
    assert.deepEqual(people.reverseOf(li, changes), { role: "operator", operator_id: "027" });
    assert.deepEqual(people.reverseOf(li, { is_active: false }), { is_active: true });
    const without = { ...li, operator_id: null };
    assert.deepEqual(people.reverseOf(without, { operator_id: "031" }), { operator_id: "" });
  });

  test("what keeps an account from being added is told with its field", () => {
    const texts = (more) => ({ ...people.blankAccount(), name: "wang", password: "k7mq-3xva-9fpd", ...more });
    const fault = (more) => people.faultOf(texts(more), [li]);
    assert.equal(fault({}), null);
    assert.equal(fault({ name: "王小姐" }), null);
    assert.deepEqual(fault({ name: "w" }), { field: "name", key: "fault.name" });
    assert.deepEqual(fault({ name: "wang li" }), { field: "name", key: "fault.name" });
    assert.deepEqual(fault({ name: " LI " }), { field: "name", key: "fault.taken" });
    assert.deepEqual(fault({ password: "short" }), { field: "password", key: "fault.short" });
    assert.deepEqual(fault({ password: "aabbaabbaabb" }), { field: "password", key: "fault.weak" });
    assert.deepEqual(fault({ password: "my-Wang-123" }), { field: "password", key: "fault.weak" });
  });

  test("made passwords are long, readable aloud, good enough, and never the same", () => {
    const made = Array.from({ length: 200 }, () => people.newPassword());
    assert.equal(new Set(made).size, 200);
    for (const one of made) assert.match(one, /^[a-hjkmnp-z2-9]{4}(-[a-hjkmnp-z2-9]{4}){2}$/);
    // No letter is likelier: bytes that would make it so are thrown away.
    const bytesIn = [[...Array(24).keys()].map((n) => 248 + (n % 8)), [...Array(24).keys()]];
    assert.equal(people.newPassword(() => bytesIn.shift()), "abcd-efgh-jkmn");
  });

  test("searching looks at name, full name and seat", () => {
    const wang = { ...li, name: "wang", display_name: "王强", role: "admin", operator_id: null };
    const found = (filters) => people.foundAccounts([li, wang], filters).map(({ name }) => name);
    assert.deepEqual(found({}), ["li", "wang"]);
    assert.deepEqual(found({ q: "李" }), ["li"]);
    assert.deepEqual(found({ q: "027" }), ["li"]);
    assert.deepEqual(found({ q: "WANG" }), ["wang"]);
    assert.deepEqual(found({ role: "admin" }), ["wang"]);
    assert.deepEqual(found({ q: "li", role: "admin" }), []);
  });
});

describe("tokens", () => {
  const nowMs = Date.parse("2026-03-05T10:00:00Z");
  const token = (expires_at, revoked_at = null) => ({ token_id: expires_at, expires_at, revoked_at });

  test("whether a token holds", () => {
    const state = (...of) => people.tokenState(token(...of), nowMs);
    assert.equal(state("2027-03-05T10:00:00Z"), "holds");
    assert.equal(state("2026-04-04T10:00:00Z"), "soon");
    assert.equal(state("2026-03-05T18:00:00+08:00"), "expired");
    assert.equal(state("2027-03-05T10:00:00Z", "2026-03-01T00:00:00Z"), "revoked");
  });

  test("those that hold come first; the others only if they are wanted", () => {
    const [old, gone, good] = [token("2026-01-01T00:00:00Z"), token("2028-01-01T00:00:00Z", "x"), token("2027-01-01T00:00:00Z")];
    assert.deepEqual(people.listedTokens([old, gone, good], nowMs, { withEnded: false }), [good]);
    assert.deepEqual(people.listedTokens([old, gone, good], nowMs, { withEnded: true }), [good, old, gone]);
  });
});

describe("terms", () => {
  const bridge = { term: "甬东桥", kind: "桥梁", weight: 3, heard: ["用动桥", "永东桥"] };

  test("a term goes into texts and comes back as it was", () => {
    assert.deepEqual(terms.termOf(terms.textsOf(bridge)), bridge);
    const typed = { term: " 临城大桥 ", kind: " ", weight: "1", heard: "林城大桥，林成大桥\n\n林城大桥" };
    assert.deepEqual(terms.termOf(typed), {
      term: "临城大桥",
      kind: "词库",
      weight: 1,
      heard: ["林城大桥", "林成大桥"],
    });
  });

  test("what keeps a term from being saved", () => {
    const fault = (more, others) => terms.faultOf({ ...terms.textsOf(bridge), ...more }, others);
    assert.equal(fault({}), null);
    assert.equal(fault({ term: "桥" }).key, "fault.term");
    assert.equal(fault({ term: "甬 东桥" }).key, "fault.term");
    assert.equal(fault({ term: "长".repeat(17) }).key, "fault.term");
    assert.deepEqual(fault({ heard: "用" }), { field: "heard", key: "fault.heard", values: { word: "用" } });
    assert.equal(fault({ heard: "甬东桥" }).key, "fault.heard");
    assert.equal(fault({ heard: Array.from({ length: 21 }, (_, n) => `错法${n}`).join("\n") }).key, "fault.heardMany");
    assert.equal(fault({}, [bridge]).key, "fault.termThere");
  });

  test("how often a word is said is told in words, with the number where it is none of the usual", () => {
    assert.equal(terms.weightText(1, zh), "一般");
    assert.equal(terms.weightText(10, zh), "天天说");
    assert.equal(terms.weightText(20, zh), "天天说（20）");
    assert.equal(terms.weightText(0.05, zh), "很少说（0.05）");
  });

  test("searching, kinds, and what an upload does", () => {
    const road = { term: "海天大道", kind: "道路", weight: 1, heard: [] };
    assert.deepEqual(terms.foundTerms([bridge, road], { q: "永东" }), [bridge]);
    assert.deepEqual(terms.foundTerms([bridge, road], { kind: "道路" }), [road]);
    assert.deepEqual(terms.kindsOf([road, bridge, { ...road, term: "海宇道" }]), [
      { kind: "道路", count: 2 },
      { kind: "桥梁", count: 1 },
    ]);
    const after = [{ ...bridge, weight: 1 }, { ...road, term: "新城大道" }];
    assert.deepEqual(terms.exchangeOf([bridge, road], after), { added: 1, gone: 1, changed: 1 });
  });
});

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
  const calls = { name: "max_calls", group: "calls", kind: "whole", value: 20, default: 16, least: 1, most: 64, changed_by: "admin" };
  const review = { name: "kb_review", group: "knowledge", kind: "switch", value: false, default: false, least: null, most: null, changed_by: null };
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
    assert.equal(settings.firstFault(after(typed("max_calls", "900"), typed("kb_review", "on"))).name, "max_calls");
    assert.equal(settings.firstFault(after(typed("max_calls", "9"))), null);
  });

  test("somebody else's change is marked at what is typed, and everything else follows it", () => {
    const theirs = { type: "came", settings: [{ ...score, value: 0.5 }, { ...calls, value: 30 }, review], tag: '"2"' };
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
    assert.equal(settings.reduceSettings(settings.emptySettings(), { type: "failed", error: {} }).phase, "failed");
    assert.equal(after({ type: "failed", error: {} }).phase, "ready");
    assert.deepEqual(settings.grouped(after().settings).map(({ name }) => name), ["cards", "calls", "knowledge"]);
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
    const state = { sections: [{ name: "disk", rows: rows("ok", "look") }, { name: "ears", rows: rows("bad") }] };
    assert.deepEqual(issuesOf(state).map(({ section, row }) => `${section}.${row.name}`), ["ears.r0", "disk.r1"]);
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
      said("PATCH /v1/accounts/{name}", "li display_name li→李敏，role operator→admin，is_active 是→否，password"),
      "li：姓名 li→李敏，角色 坐席→管理员，可登录 是→否，密码",
    );
    assert.equal(said("POST /v1/accounts", "role role=operator"), "role：角色 坐席");
    assert.equal(said("PATCH /v1/accounts/{name}", "li"), "li");
    assert.equal(said("POST /v1/tokens", "电话 交换机 audio,calls:all"), "电话 交换机：送入通话声音、看所有通话");
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
    assert.deepEqual(names(["calls:own"], "desk"), ["desk"]);
    assert.deepEqual(names(["tokens"], "desk"), ["desk", "system"]);
    assert.deepEqual(names(["system", "knowledge:write"], "desk"), ["desk", "knowledge", "system"]);
    assert.deepEqual(names([], "knowledge"), ["desk", "knowledge"]);
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
      Object.fromEntries(Object.entries(words).map(([key, text]) => [key, (text.match(/\{\w+\}/g) ?? []).sort()]));
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
    assert.deepEqual(all.filter((key) => !zh.knows(key)), []);
  });

  test("no word of the desk changes its meaning by accident", () => {
    const desk = wordsOf("zh-CN");
    assert.deepEqual(Object.keys(ALL["zh-CN"]).filter((key) => desk.knows(key)), []);
  });
});
