// Quality as people read it: what a check found, in words; where it is to be heard.
//
// In: findings of the server. Out: texts and elements. Not known here: lists, the server.

import { h } from "../dom.js";
import { duration } from "../format.js";
import { many, moment } from "../parts.js";

/** How well a check is met. @returns {"ok"|"part"|"bad"} */
export function levelOf({ share }) {
  if (share >= 1) return "ok";
  return share > 0 ? "part" : "bad";
}

/** One check in words: what was found or is missing. */
export function foundText({ check, share, value }, t) {
  const level = levelOf({ share });
  if (check === "forbidden" || check === "interruption")
    return value > 0 ? t(`check.${check}.some`, { count: many(value, t) }) : t(`check.${check}.ok`);
  if (check === "silence") {
    const longest = duration(value ?? 0, t.language);
    return t(level === "ok" ? "check.silence.ok" : "check.silence.bad", { longest });
  }
  if (check === "pace") {
    if (value === null) return t("check.pace.little");
    return t(level === "ok" ? "check.pace.ok" : "check.pace.bad", { pace: many(Math.round(value), t) });
  }
  return t(`check.${check}.${level}`);
}

/** The points that a check brought, of those it can bring. */
export const pointsText = ({ share, weight }) => `${Math.round(share * weight * 10) / 10} / ${weight}`;

/** A score with the sentences that show it.
 * @param {{call: object, remarks: Array<object>}} one */
export function scoreDetail({ call, remarks }, t) {
  const rows = call.findings.map((finding) =>
    h(
      "li",
      { "data-level": levelOf(finding) },
      h("span", { class: "check-mark", "aria-hidden": "true" }, { ok: "✓", part: "△", bad: "✗" }[levelOf(finding)]),
      h("strong", {}, t(`check.${finding.check}`)),
      h("span", { class: "check-found" }, foundText(finding, t)),
      h("span", { class: "check-points" }, pointsText(finding)),
      ...finding.evidence.map((evidence) => quote(call.call_id, evidence, t)),
    ),
  );
  return [
    h(
      "div",
      { class: "score-head" },
      h("strong", { class: "score-big" }, String(call.score)),
      h("span", { class: "sys-hint" }, call.score === call.by_rules ? t("score.byRules") : t("score.changed", { score: call.by_rules })),
      h("a", { href: `./?${new URLSearchParams({ call: call.call_id })}`, target: "_blank" }, t("score.hear")),
    ),
    h("ol", { class: "checks", "aria-label": t("score.checks") }, ...rows),
    h("h3", {}, t("score.remarks")),
    remarks.length === 0
      ? h("p", { class: "sys-hint" }, t("score.remarks.none"))
      : h(
          "ol",
          { class: "pane-told" },
          ...remarks.map((remark) =>
            h(
              "li",
              {},
              h("strong", {}, t(`remark.${remark.kind}`)),
              ` ${moment(remark.at, t)} ${remark.author}`,
              remark.score === null ? "" : ` · ${t("remark.score", { score: remark.score })}`,
              h("p", {}, remark.text),
            ),
          ),
        ),
  ];
}

function quote(callId, { said, start, end, start_s: startS }, t) {
  const at = String(Math.max(0, Math.floor(startS)));
  return h(
    "a",
    { class: "check-quote", href: `./?${new URLSearchParams({ call: callId, at })}`, target: "_blank", title: t("score.hearHere") },
    said.slice(0, start),
    h("mark", {}, said.slice(start, end)),
    said.slice(end),
  );
}
