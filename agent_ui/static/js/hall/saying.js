// Figures as the board says them.
//
// In: figures, words. Out: short texts. Not known here: the document, what is counted.

import { clockTime, today } from "../format.js";

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
export const NONE = "—";

/** @returns {string} "1,249" */
export function count(number) {
  return number === null ? NONE : WHOLE.format(number);
}

/** @returns {string} "96.4%", without a point where it is all or none; "—" where there is nothing to divide */
export function percent(share) {
  if (share === null) return NONE;
  const tenths = Math.round(share * 1000) / 10;
  // Only all of them are 100, and only none 0.
  const shown = share < 1 && tenths === 100 ? 99.9 : share > 0 && tenths === 0 ? 0.1 : tenths;
  return `${shown === 0 || shown === 100 ? shown : shown.toFixed(1)}%`;
}

/** @returns {string} "53%": for parts of a whole, where a tenth says nothing */
export function wholePercent(share) {
  return `${Math.round(share * 100)}%`;
}

/** @returns {string} "42 秒", or "1 分 20 秒" from a minute on */
export function seconds(value, t) {
  const whole = Math.floor(value);
  if (whole < 60) return t("time.s", { s: whole });
  return t("time.ms", { m: Math.floor(whole / 60), s: whole % 60 });
}

/** @returns {string} how old something is, in the largest unit that it fills */
export function age(ageS, t) {
  if (ageS < 60) return t("age.s", { n: ageS });
  if (ageS < 3600) return t("age.min", { n: Math.floor(ageS / 60) });
  return t("age.h", { n: Math.floor(ageS / 3600) });
}

/** @returns {string} "10:32" */
export function hourAndMinute(ms) {
  return clockTime(ms).slice(0, 5);
}

/** @returns {string} when something began: the time alone where that is the board's own day */
export function since(at, isoDay, t) {
  const ms = Date.parse(at);
  const day = today(ms);
  if (day === isoDay) return t("issues.since", { time: hourAndMinute(ms) });
  const [, month, date] = day.split("-").map(Number);
  const said = t.language === "en" ? `${date}/${month}` : `${month}月${date}日`;
  return t("issues.sinceDay", { day: said, time: hourAndMinute(ms) });
}

/** @param {import("./comparing.js").Trend} trend
 * @param {"trend"|"trend.ofUsual"} how short, or a whole sentence
 * @returns {string} */
export function trendText(trend, t, how = "trend") {
  if (trend.way === "none") return "";
  if (trend.times !== null) return t(`${how}.times`, { times: times(trend.times) });
  return t(`${how}.${trend.way}`, { percent: Math.abs(trend.percent) });
}

/** @returns {string} "2.3", and whole numbers from ten on */
export function times(ratio) {
  return ratio < 9.95 ? ratio.toFixed(1) : count(ratio);
}
