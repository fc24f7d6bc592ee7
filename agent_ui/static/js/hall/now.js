// Two panels of the moment: who waits, talks and writes; and how many calls were answered.
//
// In: figures of the day. Out: panels. Not known here: how they are counted.

import { h, setAttribute, setText } from "../dom.js";
import { headline, panel } from "./frame.js";
import { count, NONE, percent, seconds } from "./saying.js";

/** A caller who waits longer is worth a look. */
const LONG_WAIT_S = 60;
/** Points (hundredths) of the share answered: less is as usual, more below is worth a look. */
const SAME_POINTS = 0.5;
const LOW_POINTS = 3;

export function mountNow(t) {
  const waiting = headline(t("now.waiting"));
  const talking = headline(t("now.talking"));
  const wrapup = headline(t("now.wrapup"));
  const longest = h("span");
  const mean = h("span");
  const { element } = panel(
    "now",
    t("now.title"),
    h("div", { class: "now-figures" }, waiting.element, talking.element, wrapup.element),
    h("p", { class: "hall-foot" }, longest, mean),
  );

  function update({ day, figures }) {
    const isLong = figures.longest_wait_s >= LONG_WAIT_S;
    waiting.update(day.hasQueue ? count(figures.waiting) : NONE, isLong ? "look" : null);
    talking.update(count(figures.talking));
    wrapup.update(count(figures.wrapup));
    setAttribute(longest, "data-level", isLong ? "look" : null);
    setText(longest, waitText(day, figures));
    const { mean_wait_s: meanS } = figures;
    setText(mean, meanS === null ? "" : t("now.mean", { time: seconds(meanS, t) }));
  }

  function waitText(day, { waiting: number, longest_wait_s: longestS }) {
    if (!day.hasQueue) return t("now.noQueue");
    return number === 0 ? t("now.nobody") : t("now.longest", { time: seconds(longestS, t) });
  }

  return { element, update };
}

export function mountAnswer(t) {
  const share = headline("");
  const beside = h("span");
  const { element } = panel(
    "answer",
    t("answer.title"),
    share.element,
    h("p", { class: "hall-foot" }, beside),
  );

  function update({ day, figures }) {
    const { share_answered: now } = figures;
    const usual = day.usual.days > 0 ? day.usual.share_answered : null;
    const points = now === null || usual === null ? null : (now - usual) * 100;
    share.update(percent(now), points !== null && points <= -LOW_POINTS ? "look" : null);
    share.rename(day.hasQueue ? t("answer.counts", counts(figures)) : "");
    setText(beside, besideText(day, now, points));
    setAttribute(beside, "data-level", points !== null && points <= -LOW_POINTS ? "look" : null);
  }

  function counts({ answered, abandoned }) {
    return { answered: count(answered), abandoned: count(abandoned) };
  }

  function besideText(day, now, points) {
    if (!day.hasQueue) return t("answer.noQueue");
    if (now === null) return t("answer.none");
    if (points === null) return "";
    if (Math.abs(points) < SAME_POINTS) return t("answer.same");
    return t(points < 0 ? "answer.lower" : "answer.higher", { points: Math.abs(points).toFixed(1) });
  }

  return { element, update };
}
