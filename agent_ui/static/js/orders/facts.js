// An order to be read: what it is about, where it stands, what was answered.
//
// In: an order. Out: elements. Not known here: what may be done with it.

import { h } from "../dom.js";
import { moment } from "../parts.js";
import { dueWords } from "./due.js";

/** The head of an order: summary, number, state and deadline. */
export function headOf(order, t) {
  const { text, level } = dueWords(order, Date.now(), t);
  const due = order.due_at
    ? t("due.at", { time: moment(order.due_at, t) }) + (order.is_due_provisional ? t("due.provisional") : "")
    : null;
  const { urgency } = order.content;
  return h(
    "header",
    { class: "ord-head" },
    h("h2", {}, order.content.summary),
    h(
      "p",
      { class: "ord-badges" },
      badge(t(`state.${order.state}`), order.state === "returned" ? "look" : "state"),
      urgency === "普通" ? "" : badge(t(`haste.${urgency}`), urgency === "特急" ? "bad" : "look"),
      text ? badge(text, level, due) : "",
      order.returns > 0 ? badge(t("order.returns", { n: order.returns }), order.returns > 1 ? "look" : null) : "",
      order.reworks > 0 ? badge(t("order.reworks", { n: order.reworks }), "look") : "",
      h("span", { class: "ord-id" }, order.order_id),
    ),
  );
}

function badge(text, level, title = null) {
  return h("span", { class: "ord-badge", "data-level": level, title }, text);
}

/** Who, where, what; and the answer, once there is one. */
export function factsOf(order, t, { units, onOpen }) {
  const { content } = order;
  const where = content.address.startsWith(content.district) ? content.address : `${content.district}${content.address}`;
  const rows = [
    [t("field.type"), [t(`kind.${content.type}`), content.category].filter(Boolean).join(" · ")],
    [t("field.caller_name"), [content.caller_name, content.caller_phone].filter(Boolean).join("　")],
    [t("field.address"), where],
    [t("field.department_id"), units.nameOf(content.department_id)],
    [
      t("field.due_at"),
      order.due_at ? moment(order.due_at, t) + (order.is_due_provisional ? t("due.provisional") : "") : "",
    ],
    [t("order.satisfaction"), order.satisfaction ? t(`satisfaction.${order.satisfaction}`) : ""],
  ].filter(([, text]) => text);
  return h(
    "section",
    { class: "ord-facts", "aria-label": t("order.facts") },
    order.answer
      ? h("div", { class: "ord-answer" }, h("h3", {}, t("order.answer")), h("p", {}, order.answer))
      : "",
    content.detail ? h("p", { class: "ord-detail" }, content.detail) : "",
    h("dl", { class: "sys-facts" }, ...rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    order.merged_into
      ? h(
          "p",
          {},
          h(
            "button",
            { type: "button", class: "ord-link", onclick: () => onOpen(order.merged_into) },
            t("order.merged", { id: order.merged_into }),
          ),
        )
      : "",
    h(
      "p",
      { class: "sys-hint" },
      t("order.since", { time: moment(order.created_at, t), who: order.created_by }),
      order.call_id
        ? h("a", { class: "sys-link ord-call", href: `./?call=${encodeURIComponent(order.call_id)}` }, t("order.byCall"))
        : "",
    ),
  );
}
