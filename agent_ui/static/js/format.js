// Values as people read them.
//
// In: times, numbers, texts. Out: short texts, and the pieces of a corrected line.
// Not known here: the document, the language of labels beyond its code.

/** Where no zone is set on the page, times are those of mainland China, whatever the PC's clock says. */
const DEFAULT_ZONE = "Asia/Shanghai";
/** The zone of the times on this page. */
export const zone = globalThis.document?.documentElement.dataset.timeZone || DEFAULT_ZONE;

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: zone,
  hourCycle: "h23",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** @returns {string} "10:32:05" for a moment in milliseconds */
export function clockTime(ms) {
  return CLOCK.format(ms);
}

/** @returns {string} "03:12", or "1:03:12" from an hour on */
export function timer(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const minutes = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? minutes : `${Math.floor(whole / 3600)}:${minutes}`;
}

/** @returns {string} "3分12秒" or "3m 12s" */
export function duration(seconds, language) {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  if (language === "en") return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`;
  return minutes > 0 ? `${minutes}分${whole % 60}秒` : `${whole}秒`;
}

/** @returns {string} "2026年3月5日" or "5 Mar 2026" for "2026-03-05" */
export function day(isoDay, language) {
  const [year, month, date] = isoDay.split("-").map(Number);
  if (language !== "en") return `${year}年${month}月${date}日`;
  const name = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
  return `${date} ${name.format(Date.UTC(year, month - 1, date))} ${year}`;
}

/** @returns {string} the ISO day it is, in the page's zone */
export function today(ms) {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(ms);
}

/** @returns {string} "138****2316": enough to recognise a caller, too little to call one */
export function maskedNumber(number) {
  if (number.length < 8) return "*".repeat(Math.max(0, number.length - 2)) + number.slice(-2);
  return `${number.slice(0, 3)}****${number.slice(-4)}`;
}

/** A line cut where it was corrected. `start` counts characters, not UTF-16 units; a correction that no
 * longer fits the text is left out.
 * @returns {Array<{text: string, heard: string|null}>} */
export function pieces(text, corrections) {
  const characters = Array.from(text);
  const cut = [];
  let from = 0;
  for (const { start, heard, written } of [...corrections].sort((a, b) => a.start - b.start)) {
    const end = start + Array.from(written).length;
    if (start < from || end === start || characters.slice(start, end).join("") !== written) continue;
    if (start > from) cut.push({ text: characters.slice(from, start).join(""), heard: null });
    cut.push({ text: written, heard });
    from = end;
  }
  if (from < characters.length) cut.push({ text: characters.slice(from).join(""), heard: null });
  return cut;
}

/** An article's lines; a short name before a colon is the line's label.
 * @returns {Array<{label: string, text: string}>} */
export function labelledLines(body) {
  return body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const match = /^([^：。，]{2,8})：(.+)$/u.exec(line);
      return match ? { label: match[1], text: match[2] } : { label: "", text: line };
    });
}
