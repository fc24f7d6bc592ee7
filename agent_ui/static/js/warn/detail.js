// One warning to be read: why, its hours, where, whom it concerns, samples, what happened.
//
// In: a warning with all that is known of it. Out: elements. Not known here: what may be done with it.

import { h } from "../dom.js";
import { moment } from "../parts.js";
import { chartOf } from "./chart.js";
import { courseOf, nameOf, sizeOf, stepOf, whereOf, whyOf } from "./telling.js";

const badge = (text, level, title = null) => h("span", { class: "ord-badge", "data-level": level, title }, text);

/** Its name, where it is, and how it stands. */
export function headOf({ warning }, t) {
  const rating = warning.is_true === null ? "" : badge(t(warning.is_true ? "rated.true" : "rated.false"), warning.is_true ? "state" : "look", ratedBy(warning, t));
  return h(
    "header",
    { class: "ord-head" },
    h("h2", {}, `${whereOf(warning, t)} · ${nameOf(warning, t)}`),
    h(
      "p",
      { class: "ord-badges" },
      badge(t(`state.${warning.state}`), warning.state === "open" ? "bad" : "state"),
      warning.severity ? badge(t(`severity.${warning.severity}`), "bad") : badge(t(`layer.${warning.layer}`), null),
      badge(courseOf(warning, t), warning.over_at ? null : "look"),
      rating,
      h("span", { class: "ord-id" }, warning.warning_id),
    ),
    h("p", { class: "warn-why" }, whyOf(warning, t)),
  );
}

export function ratedBy(warning, t) {
  return warning.rated_at ? t("rated.by", { who: warning.rated_by, time: moment(warning.rated_at, t) }) : null;
}

/** The chart, where anything was counted. */
export function hoursOf({ warning, hours }, t) {
  if (warning.layer === "safety" || hours.length === 0) return "";
  return chartOf(t, { hours, raisedAt: warning.raised_at });
}

/** Facts that a sentence does not hold. */
export function factsOf({ warning, order, places }, t) {
  const rows = [
    [t("fact.size"), sizeOf(warning, t)],
    [t("fact.common"), places.map(({ place, callers }) => t("fact.common.n", { place, n: callers })).join(t("warn.comma"))],
    [t("fact.places"), warning.places > 0 ? t("fact.places.n", { n: warning.places }) : ""],
    [t("fact.districts"), warning.districts.join(t("warn.comma"))],
    [t("fact.category"), warning.category],
    [t("fact.departments"), warning.departments.join(t("warn.comma"))],
    [t("fact.latest"), warning.layer === "safety" ? "" : moment(warning.latest_at, t)],
    [t("fact.muted"), warning.muted_until ? moment(warning.muted_until, t) : ""],
    [t("fact.rated"), warning.is_true === null ? "" : `${t(warning.is_true ? "rated.true" : "rated.false")} · ${ratedBy(warning, t)}`],
    [t("fact.note"), warning.note],
  ].filter(([, text]) => text);
  return h(
    "section",
    { "aria-label": t("fact.title") },
    h("dl", { class: "sys-facts" }, ...rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))), orderOf(order, t)),
  );
}

function orderOf(order, t) {
  if (order === null) return "";
  const link = h("a", { class: "sys-link", href: `orders#all/${encodeURIComponent(order.order_id)}` }, order.order_id);
  const words = [t(`order.${order.state}`), order.department].filter(Boolean).join(" · ");
  return h("div", {}, h("dt", {}, t("fact.order")), h("dd", {}, link, ` ${words}`));
}

/** Calls and orders that stand for it, each to be opened. */
export function samplesOf({ warning, samples }, t, seesCalls) {
  if (!seesCalls) return "";
  return h(
    "section",
    { class: "sys-part" },
    h("h3", {}, t("samples.title", { n: samples.length })),
    samples.length === 0
      ? h("p", { class: "sys-hint" }, t("samples.none"))
      : h(
          "ol",
          { class: "warn-samples" },
          ...samples.map((one) =>
            h(
              "li",
              {},
              h("a", { href: addressOf(one), target: "_blank", title: t(one.call_id ? "samples.call" : "samples.order") }, one.summary || t("samples.noText")),
              h("small", {}, [moment(one.at, t), placeOf(one)].filter(Boolean).join(" · ")),
            ),
          ),
        ),
    warning.alarm_id
      ? h("p", {}, h("a", { class: "sys-link", href: "watch" }, t("samples.alarm")))
      : h("p", {}, h("a", { class: "sys-link", href: `reports#warning=${encodeURIComponent(warning.warning_id)}` }, t("samples.report"))),
  );
}

const placeOf = ({ district, place }) => (place.startsWith(district) ? place : `${district} ${place}`.trim());
const addressOf = ({ call_id: call, order_id: order }) =>
  call ? `./?${new URLSearchParams({ call })}` : `orders#all/${encodeURIComponent(order)}`;

/** All that happened, newest first. */
export function pastOf({ steps }, t) {
  return h(
    "section",
    { class: "sys-part" },
    h("h3", {}, t("past.title")),
    h(
      "ol",
      { class: "ord-past" },
      ...[...steps].reverse().map((step) =>
        h(
          "li",
          { "data-kind": "step" },
          h("time", { datetime: step.at }, moment(step.at, t)),
          h("span", { class: "ord-who" }, step.author === "系统" || step.author === "" ? t("past.system") : step.author),
          h("div", {}, h("strong", {}, stepOf(step, t)), step.note ? h("span", { class: "ord-said" }, step.note) : ""),
        ),
      ),
    ),
  );
}
