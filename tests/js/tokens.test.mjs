// What in a line can be taken along, and how the line is cut.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { cutLine, tokensOf } from "../../agent_ui/static/js/tokens.js";

const found = (text) => tokensOf(text).map(({ kind, value }) => `${kind} ${value}`);

describe("tokens", () => {
  for (const [text, expected] of [
    ["我的电话是13900000152，你记一下", ["phone 13900000152"]],
    ["139 0000 0152", ["phone 139 0000 0152"]],
    ["座机0580-2345678", ["phone 0580-2345678"]],
    ["打12345就行，一共3个人", []],
    ["身份证330902199003051234。", ["id 330902199003051234"]],
    ["上次的工单号是20260305001234", ["order 20260305001234"]],
    ["工单编号GD-2026030501", ["order GD-2026030501"]],
    ["收了我1200.5元，又要3万元", ["amount 1200.5元", "amount 3万元"]],
    ["2026年3月5日交的，3月8号到账", ["date 2026年3月5日", "date 3月8号"]],
    ["我住在临城街道翁山路", ["address 临城街道"]],
    ["在昌国路12号3幢", ["address 昌国路12号3幢"]],
    ["您说的是哪个小区？", []],
    ["那个新小区", []],
    ["我们村里的路", []],
  ])
    test(text, () => assert.deepEqual(found(text), expected));
});

describe("a line", () => {
  const fix = (start, heard, written) => ({ start, heard, written, reason: "lexicon" });

  test("is cut at tokens and corrections, by characters, without losing any", () => {
    const text = "😀电话13900000152在普陀";
    const cut = cutLine(text, [fix(15, "普托", "普陀"), fix(1, "点话", "电话")]);
    assert.equal(cut.flatMap(({ parts }) => parts.map((part) => part.text)).join(""), text);
    assert.deepEqual(cut.map(({ token }) => token?.kind ?? null), [null, "phone", null]);
    assert.deepEqual(cut.at(-1).parts.at(-1), { text: "普陀", heard: "普托", index: 0 });
  });

  test("has a correction inside its token, and no token across a correction's edge", () => {
    const inside = cutLine("昌国路12号", [fix(0, "长国", "昌国")]);
    assert.deepEqual(inside[0].parts.map((part) => part.heard), ["长国", null]);
    const across = cutLine("去昌国路12号", [fix(0, "曲长国", "去昌国")]);
    assert.equal(across.every(({ token }) => token === null), true);
  });

  test("leaves out a correction that no longer fits", () => {
    assert.deepEqual(cutLine("积水", [fix(1, "甲", "乙")])[0].parts, [{ text: "积水", heard: null, index: -1 }]);
  });
});
