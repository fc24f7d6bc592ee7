// The page of reports: numbers as they are read, keys, words.

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { cellText, numeral, shown, sourcesOf, tilesInRow, unitOf } from "../../agent_ui/static/js/reports/figures.js";
import { actionOf, KEY_ROWS } from "../../agent_ui/static/js/reports/keys.js";
import { REPORT_WORDS } from "../../agent_ui/static/js/reports/words.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";

const measure = (unit, digits = 0, isChange = false) => ({ unit, digits, is_change: isChange });

suite("numbers of reports", () => {
  test("are written as in the files: halves away from nought, a true minus, a sign where they are changes", () => {
    assert.equal(shown(2143, measure("件")), "2,143");
    assert.equal(shown(0, measure("件")), "0");
    assert.equal(shown(null, measure("件")), "—");
    assert.equal(shown(6.25, measure("%", 1)), "6.3%");
    assert.equal(shown(12.35, measure("%", 1)), "12.4%");
    assert.equal(shown(-4.44, measure("%", 1, true)), "−4.4%");
    assert.equal(shown(40.8, measure("%", 1, true)), "+40.8%");
    assert.equal(shown(-0.04, measure("%", 1, true)), "0.0%");
    assert.equal(shown(-1234.56, measure("天", 1)), "−1,234.6");
  });

  test("have their unit beside them, percent excepted", () => {
    assert.equal(unitOf(3, measure("人")), "人");
    assert.equal(unitOf(3, measure("%", 1)), "");
    assert.equal(unitOf(null, measure("人")), "");
    assert.equal(cellText(null, { measure: null }), "");
    assert.equal(cellText("停水", { measure: null }), "停水");
  });

  test("no figure stands alone in the last row", () => {
    assert.deepEqual([1, 4, 5, 7, 8, 9, 13].map(tilesInRow), [4, 4, 3, 4, 4, 3, 3]);
  });

  test("chapters are counted in Chinese", () => {
    assert.deepEqual([1, 9, 10, 11, 20, 21].map(numeral), ["一", "九", "十", "十一", "二十", "二十一"]);
  });

  test("name their queries once, those of parts among them", () => {
    const empty = { paragraphs: [], figures: [], charts: [], tables: [], parts: [] };
    const part = { ...empty, charts: [{ runs: ["Q19.本期.热点1"] }] };
    const chapter = {
      ...empty,
      paragraphs: [{ runs: ["Q10.本期", "Q10.上期"] }],
      tables: [{ columns: [{ runs: [] }, { runs: ["Q03.本期"] }] }],
      parts: [part],
    };
    assert.deepEqual(sourcesOf(chapter), ["Q03", "Q10", "Q19"]);
  });
});

suite("the page of reports", () => {
  test("keys", () => {
    const press = (key, more = {}) => ({ key, keyCode: 0, isComposing: false, isInField: false, ...more });
    assert.equal(actionOf(press("1")), "pdf");
    assert.equal(actionOf(press("。")), "after");
    assert.equal(actionOf(press("n", { isInField: true })), null);
    assert.equal(actionOf(press("Escape", { isInField: true })), "back");
    assert.equal(actionOf(press("p", { ctrlKey: true })), null);
    assert.equal(actionOf(press("x", { isComposing: true })), null);
  });

  test("every word is there in both languages, with the same gaps, and every key has one", () => {
    const gaps = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
    const [zh, en] = [REPORT_WORDS["zh-CN"], REPORT_WORDS.en];
    assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
    for (const key of Object.keys(zh)) assert.deepEqual(gaps(zh[key]), gaps(en[key]), key);
    const all = { ...PART_WORDS["zh-CN"], ...zh };
    for (const [, key] of KEY_ROWS) assert.ok(`key.${key}` in all, key);
  });
});
