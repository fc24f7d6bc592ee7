// What operators found wrong, and what was answered.
//
// In: reports, of one article or of all. Out: rows with a field for the answer.

import { h } from "../dom.js";
import { moment, reasonOf, whileWorking } from "../parts.js";
import { answerReport } from "./server.js";

/** One report. @param {{title?: string, news, onAnswered: (report) => void, onOpen?: () => void}} how */
export function reportRow(t, report, { title, news, onAnswered, onOpen }) {
  const field = h("textarea", {
    rows: 2,
    maxlength: "2000",
    "aria-label": t("reports.answer"),
    placeholder: t("reports.answer.how"),
  });
  const send = h("button", { type: "submit", class: "primary" }, t("reports.send"));
  const form = h("form", { class: "kb-answer" }, field, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim() === "") return field.focus();
    whileWorking(
      send,
      async () => onAnswered(await answerReport(report.report_id, field.value.trim())),
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    );
  });
  const who = [
    report.reporter ? t("reports.by", { who: report.reporter }) : t("reports.nobody"),
    moment(report.at, t),
  ];
  return h(
    "li",
    { class: "kb-report", "data-open": report.answer === null ? "true" : null },
    title ? h("button", { type: "button", class: "kb-link", onclick: onOpen }, title) : "",
    h("p", {}, report.text),
    h(
      "p",
      { class: "kb-hint" },
      who.join(" · "),
      report.call_id
        ? h("a", { href: `./?call=${encodeURIComponent(report.call_id)}` }, t("reports.call"))
        : "",
    ),
    report.answer === null
      ? form
      : h(
          "p",
          { class: "kb-answered" },
          h("b", {}, t("reports.answered", { who: report.answered_by || t("history.nobody") })),
          report.answer,
        ),
  );
}
