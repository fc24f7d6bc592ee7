// A warning in words, in the language of the page.
//
// In: a warning. Out: texts. Not known here: the document.

import { moment } from "../parts.js";

/** What it is about. */
export function nameOf(warning, t) {
  return warning.layer === "safety" && t.knows(`kind.${warning.matter}`) ? t(`kind.${warning.matter}`) : warning.name;
}

/** Where it is. */
export function whereOf(warning, t) {
  if (warning.district) return warning.district;
  return warning.layer === "safety" ? "—" : t("warn.city");
}

/** How many people against how many usual: "12 / 1.3". */
export function sizeOf(warning, t) {
  if (warning.layer === "safety") return t("warn.oneCall");
  const usual = warning.expected < 10 ? warning.expected.toFixed(1) : String(Math.round(warning.expected));
  return t("warn.size", { callers: warning.callers_now, usual });
}

/** Why it was raised; the server's sentence in Chinese, the same in English. */
export function whyOf(warning, t) {
  if (t.language !== "en") return warning.explanation;
  if (warning.layer === "safety") return t("why.safety", { name: nameOf(warning, t), time: moment(warning.raised_at, t) });
  const values = {
    callers: warning.observed,
    now: warning.callers_now,
    window: windowOf(warning.window_h, t),
    time: moment(warning.raised_at, t),
    usual: warning.expected.toFixed(1),
    since: moment(warning.since, t),
    places: warning.places,
    chance: warning.probability > 0 ? Math.round(1 / warning.probability).toLocaleString("en-GB") : "—",
  };
  return t(warning.expected > 0 ? "why.known" : "why.unknown", values);
}

/** Hours as people say them: whole days from three on. */
function windowOf(hours, t) {
  return hours >= 72 && hours % 24 === 0 ? t("why.days", { n: hours / 24 }) : t("why.hours", { n: hours });
}

/** How it goes on. */
export function courseOf(warning, t) {
  return warning.over_at ? t("warn.over", { time: moment(warning.over_at, t) }) : t("warn.goesOn");
}

/** A step as a line of the history. */
export function stepOf(step, t) {
  if (step.action === "rate") {
    const [, now] = step.changes.is_true ?? [null, null];
    return t(now === null ? "did.unrated" : now ? "did.true" : "did.false");
  }
  if (step.action === "assign") return t("did.assigned", { id: step.changes.order_id?.[1] ?? "" });
  if (step.action === "mute") return t("did.muted", { time: moment(step.changes.muted_until?.[1], t) });
  return t.knows(`did.${step.action}`) ? t(`did.${step.action}`) : step.action;
}
