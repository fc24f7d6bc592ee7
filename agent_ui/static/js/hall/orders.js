// Two panels of work orders: what citizens say of the answers, and what is late.
//
// In: the block of orders. Out: panels. Not known here: how orders are counted.

import { h, setText } from "../dom.js";
import { satisfaction } from "./comparing.js";
import { headline, panel, places } from "./frame.js";
import { count, percent } from "./saying.js";

const PARTS = ["satisfied", "neutral", "unsatisfied"];
const DEPARTMENTS = 3;

export function mountSatisfied(t) {
  const share = headline(t("satisfied.month"));
  const bars = PARTS.map((part) => h("i", { "data-part": part }));
  const beside = h("span");
  const { element } = panel(
    "satisfied",
    t("satisfied.title"),
    share.element,
    h("div", { class: "satisfied-bar", "aria-hidden": "true" }, ...bars),
    h("p", { class: "hall-foot" }, beside),
  );
  let widths = "";

  function update({ day }) {
    if (day.orders === null) return;
    const month = satisfaction(day.orders.month);
    const now = satisfaction(day.orders.today);
    share.update(percent(month.share));
    const next = PARTS.map((part) => (month.parts[part] * 100).toFixed(2));
    if (next.join() !== widths) {
      widths = next.join();
      bars.forEach((element, index) => (element.style.width = `${next[index]}%`));
    }
    setText(beside, besideText(month, now));
  }

  function besideText(month, now) {
    if (month.share === null) return t("satisfied.none");
    if (now.share === null) return t("satisfied.todayNone");
    return t("satisfied.today", { share: percent(now.share), said: count(now.said) });
  }

  return { element, update };
}

export function mountOverdue(t) {
  const overdue = headline("");
  const lists = h("ol", { class: "late-departments" });
  const none = h("p", { class: "late-none" }, t("orders.none"));
  const fill = places(lists, DEPARTMENTS, departmentRow);
  const pairs = ["soon", "open", "made", "closed"].map((name) => {
    const value = h("b");
    return { value, element: h("span", {}, t(`orders.${name}`), " ", value) };
  });
  const { element } = panel(
    "orders",
    t("orders.title"),
    h("div", { class: "late" }, overdue.element, lists, none),
    h("p", { class: "hall-foot" }, ...pairs.map((pair) => pair.element)),
  );

  function update({ day: { orders } }) {
    if (orders === null) return;
    overdue.update(count(orders.overdue), orders.overdue > 0 ? "look" : null);
    none.hidden = orders.overdue > 0;
    lists.hidden = orders.overdue === 0;
    fill(orders.overdue_departments.slice(0, DEPARTMENTS));
    const values = [orders.due_soon, orders.open, orders.made_today, orders.closed_today];
    pairs.forEach(({ value }, index) => setText(value, count(values[index])));
  }

  return { element, update };
}

function departmentRow() {
  const name = h("span", { class: "hall-name" });
  const number = h("b");
  return {
    element: h("li", {}, name, number),
    update(department) {
      setText(name, department.name);
      setText(number, count(department.overdue));
    },
  };
}
