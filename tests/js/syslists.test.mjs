// What the system page decides of accounts, tokens and terms.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as people from "../../agent_ui/static/js/sys/people.js";
import * as terms from "../../agent_ui/static/js/sys/terms.js";
import { zh } from "./sys_words.mjs";

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
    assert.equal(
      people.newPassword(() => bytesIn.shift()),
      "abcd-efgh-jkmn",
    );
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
    const [old, gone, good] = [
      token("2026-01-01T00:00:00Z"),
      token("2028-01-01T00:00:00Z", "x"),
      token("2027-01-01T00:00:00Z"),
    ];
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
    assert.equal(
      fault({ heard: Array.from({ length: 21 }, (_, n) => `错法${n}`).join("\n") }).key,
      "fault.heardMany",
    );
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
    const after = [
      { ...bridge, weight: 1 },
      { ...road, term: "新城大道" },
    ];
    assert.deepEqual(terms.exchangeOf([bridge, road], after), { added: 1, gone: 1, changed: 1 });
  });
});
