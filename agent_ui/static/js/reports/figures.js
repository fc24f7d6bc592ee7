// Numbers of a report as they are read; the files of a report write them the same way.
//
// In: numbers, measures. Out: texts. Not known here: what is counted.

/** @typedef {{unit: string, digits: number, is_change: boolean}} Measure */

/** "2,143", "92.3%", "+12.0%", "—".
 * @param {number|null} value
 * @param {Measure} measure */
export function shown(value, measure) {
  if (value === null || value === undefined) return "—";
  const text = new Intl.NumberFormat("en-US", {
    minimumFractionDigits: measure.digits,
    maximumFractionDigits: measure.digits,
  }).format(Math.abs(value));
  const isNothing = !/[1-9]/.test(text);
  const sign = isNothing ? "" : value < 0 ? "−" : measure.is_change ? "+" : "";
  return `${sign}${text}${measure.unit === "%" ? "%" : ""}`;
}

/** The unit that stands after a large number; percent is part of the number. */
export function unitOf(value, measure) {
  return value === null || measure.unit === "%" ? "" : measure.unit;
}

/** A cell of a table: words as they are. */
export function cellText(cell, column) {
  return column.measure === null ? (cell ?? "") : shown(cell, column.measure);
}

const DIGITS = "〇一二三四五六七八九";

/** 1 as 一, 12 as 十二; up to 99. */
export function numeral(number) {
  const tens = Math.floor(number / 10);
  const ones = number % 10;
  const before = tens === 0 ? "" : tens === 1 ? "十" : `${DIGITS[tens]}十`;
  return before + (ones > 0 || tens === 0 ? DIGITS[ones] : "");
}

/** How many figures stand side by side, so that none stands alone in the last row. */
export function tilesInRow(n) {
  return n % 4 === 1 && n > 1 ? 3 : 4;
}

/** The queries of a chapter and its parts by their numbers, "Q03". */
export function sourcesOf(section) {
  const runs = [
    ...section.paragraphs.flatMap((one) => one.runs),
    ...section.figures.flatMap((one) => one.runs),
    ...section.charts.flatMap((one) => one.runs),
    ...section.tables.flatMap((table) => table.columns.flatMap((column) => column.runs)),
  ].map((run) => run.split(".")[0]);
  return [...new Set([...runs, ...section.parts.flatMap(sourcesOf)])].sort();
}
