// An order on paper: one A4 sheet with all that a file needs, and a place for the seal.
//
// In: an order with its past. Out: a sheet. Not known here: how it is printed.

import { h } from "../dom.js";
import { moment } from "../parts.js";
import { timelineOf } from "./timeline.js";

/** @param {{order: object, past: object, units: object}} what */
export function sheetOf(t, { order, past, units }) {
  const { content } = order;
  const day = (iso) => (iso ? moment(iso, t, { now: new Date(0) }) : "—"); // always with the year
  const row = (...cells) =>
    h(
      "tr",
      {},
      ...cells.flatMap(([key, text, wide]) => [
        h("th", { scope: "row" }, t(key)),
        h("td", { colspan: wide ? "3" : null }, text || "—"),
      ]),
    );
  return h(
    "article",
    { class: "paper" },
    h("p", { class: "paper-city" }, units.centre),
    h("h1", {}, t("print.title")),
    h("p", { class: "paper-id" }, `${t("print.id")} ${order.order_id}`),
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        row(["field.type", t(`kind.${content.type}`)], ["field.urgency", t(`haste.${content.urgency}`)]),
        row(["print.created", day(order.created_at)], ["print.state", t(`state.${order.state}`)]),
        row(["field.caller_name", content.caller_name], ["field.caller_phone", content.caller_phone]),
        row(["field.district", content.district], ["field.category", content.category]),
        row(["field.address", content.address, true]),
        row(["field.summary", content.summary, true]),
        row(["field.detail", content.detail, true]),
        row(["field.department_id", units.nameOf(content.department_id)], ["field.due_at", day(order.due_at)]),
        row(["order.answer", order.answer, true]),
        row(["order.satisfaction", order.satisfaction ? t(`satisfaction.${order.satisfaction}`) : "", true]),
      ),
    ),
    h("h2", {}, t("past.title")),
    h(
      "ol",
      {},
      ...timelineOf(past).map((line) =>
        h(
          "li",
          {},
          h("span", {}, day(line.at)),
          h("span", {}, line.author),
          h("span", {}, deedOf(line) + (line.text && line.action !== "absorbed" ? `：${line.text}` : "")),
        ),
      ),
    ),
    h(
      "div",
      { class: "paper-sign" },
      h("span", {}, `${t("print.sign")}：`),
      h("span", {}, `${t("print.signed")}：`),
      h("span", {}, `${t("print.date")}：`),
    ),
    h("p", { class: "paper-foot" }, `${t("print.printed")} ${day(new Date().toISOString())}`),
  );

  function deedOf(line) {
    if (line.action === "absorbed") return t("did.absorbed", { note: line.text });
    return t(t.knows(`deed.${line.action}`) ? `deed.${line.action}` : `did.${line.action}`);
  }
}
