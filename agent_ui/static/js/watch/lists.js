// The view of follow-up lists: orders that somebody has to look after, each list with its count.
//
// In: the lists of the server. Out: a list, and beside it the order that was opened, to be handed to a partner
// office. Not known here: which orders a list has.

import { h, saveFile, setAttribute, setText } from "../dom.js";
import { maskedNumber } from "../format.js";
import { button, emptiness, many, moment, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountTable } from "../sys/table.js";
import { fetchHandovers, handOver, readWatched } from "./server.js";

export const LISTS = ["overdue", "due_soon", "urgent", "returned", "repeated", "unsatisfied"];

/** @param {{news, kept: object, refused: (error) => void}} page */
export function mountLists(t, page) {
  const { news, kept } = page;
  kept.watch ??= LISTS[0];
  kept.chosen ??= null;
  let asking = null;
  const tabs = LISTS.map((name) =>
    h(
      "button",
      { type: "button", onclick: () => choose(name), "aria-pressed": "false" },
      h("span", {}, t(`list.${name}`)),
      h("span", { class: "list-count" }),
    ),
  );
  const table = mountTable(t, {
    label: t("view.lists"),
    key: ({ order }) => order.order_id,
    columns: [
      { name: "summary", label: t("list.summary"), cell: ({ order }) => ({ text: order.content.summary, title: order.content.summary }) },
      { name: "urgency", label: t("list.urgency"), cell: ({ order }) => ({ text: order.content.urgency, mark: order.content.urgency === "普通" ? null : "bad" }) },
      { name: "state", label: t("list.state"), cell: ({ order }) => t(`order.${order.state}`) },
      { name: "department", label: t("list.department"), cell: ({ department }) => ({ text: department || "—", title: department }) },
      { name: "due", label: t("list.due"), cell: ({ order }) => ({ text: moment(order.due_at, t) || "—", mark: order.is_overdue ? "bad" : null }) },
      { name: "why", label: t("list.why"), cell: ({ order, handovers }) => ({ text: why(order), sub: handovers.length > 0 ? t("list.handedOver") : "" }) },
    ],
    onOpen: (item) => open(item),
  });
  const pane = h("aside", { class: "watch-pane", "aria-label": t("list.pane") });
  const down = button(t("list.download"), (event) => whileWorking(event.currentTarget, download, failed));
  const element = h(
    "div",
    { class: "sys-view sys-pair" },
    h(
      "div",
      { class: "sys-main" },
      h("div", { class: "sys-head" }, h("div", { class: "list-tabs", role: "group", "aria-label": t("view.lists") }, ...tabs)),
      table.element,
      h("div", { class: "sys-foot" }, down, h("span", { class: "sys-hint" }, t("list.hint"))),
    ),
    pane,
  );

  /** What puts the order on this list, in a word. */
  function why(order) {
    if (kept.watch === "returned") return t("list.times", { count: many(order.returns, t) });
    if (kept.watch === "repeated") return order.content.caller_phone ? maskedNumber(order.content.caller_phone) : "—";
    if (kept.watch === "unsatisfied") return t("list.unsatisfied");
    return order.content.district || "—";
  }

  function choose(name) {
    kept.watch = name;
    kept.found = null;
    read();
  }

  async function read() {
    asking?.abort();
    asking = new AbortController();
    mark();
    table.wait();
    try {
      kept.found = await readWatched(kept.watch, asking.signal);
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      table.say(sorry(error, t, read));
    }
  }

  function mark() {
    tabs.forEach((tab, place) => {
      const count = kept.found?.counts?.[LISTS[place]];
      setAttribute(tab, "aria-pressed", String(LISTS[place] === kept.watch));
      if (count !== undefined) setText(tab.lastChild, many(count, t));
      setAttribute(tab, "data-some", count > 0 ? "true" : null);
    });
  }

  function draw() {
    mark();
    const { orders } = kept.found;
    const chosen = orders.find(({ order }) => order.order_id === kept.chosen) ?? null;
    if (orders.length > 0) table.show(orders, chosen?.order.order_id ?? null);
    else table.say(emptiness(t(`list.${kept.watch}.none`), t("list.none.how")));
    drawPane(chosen);
  }

  function open(item) {
    kept.chosen = item.order.order_id;
    draw();
  }

  function drawPane(item) {
    if (item === null) {
      pane.replaceChildren(emptiness(t("list.pane.none"), t("list.pane.how")));
      return;
    }
    const { order, department, handovers } = item;
    const fact = (name, value) => h("div", {}, h("dt", {}, t(`list.${name}`)), h("dd", {}, value || "—"));
    const offices = h(
      "datalist",
      { id: "watch-offices" },
      ...kept.found.partners.map((office) => h("option", { value: office })),
    );
    const office = h("input", { type: "text", list: "watch-offices", maxlength: "40", "aria-label": t("handover.office"), placeholder: t("handover.office") });
    const reason = h("textarea", { rows: "3", maxlength: "500", "aria-label": t("handover.reason"), placeholder: t("handover.reason") });
    const wrong = h("p", { class: "pane-wrong", role: "alert" });
    const send = button(t("handover.send"), () => whileWorking(send, tell, (error) => setText(wrong, reasonOf(error, t))), {
      class: "primary",
    });

    async function tell() {
      setText(wrong, "");
      await handOver(order.order_id, office.value, reason.value);
      news.tell(t("handover.done", { office: office.value }));
      await read();
    }

    pane.replaceChildren(
      h("h2", {}, order.content.summary),
      h("p", { class: "sys-hint" }, order.order_id),
      h(
        "dl",
        { class: "pane-facts" },
        fact("state", t(`order.${order.state}`)),
        fact("department", department),
        fact("due", moment(order.due_at, t)),
        fact("place", placeOf(order.content)),
        fact("detail", order.content.detail),
      ),
      order.call_id
        ? h("a", { href: `./?${new URLSearchParams({ call: order.call_id })}`, target: "_blank" }, t("list.call"))
        : "",
      h("h3", {}, t("handover.title")),
      h("p", { class: "sys-hint" }, t("handover.how")),
      h("div", { class: "pane-form" }, office, offices, reason, wrong, send),
      h(
        "ol",
        { class: "pane-told", "aria-label": t("handover.title") },
        ...handovers.map((one) =>
          h("li", {}, h("strong", {}, one.office), ` ${moment(one.at, t)} ${one.author}`, h("p", {}, one.reason)),
        ),
      ),
    );
  }

  const placeOf = ({ district, address }) =>
    address.startsWith(district) ? address : [district, address].filter(Boolean).join(" ");

  async function download() {
    saveFile(await fetchHandovers(), "handovers.csv");
  }

  function failed(error) {
    news.tell(reasonOf(error, t), { level: "bad" });
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "before" || name === "after") {
      const next = LISTS.indexOf(kept.watch) + (name === "after" ? 1 : -1);
      if (next < 0 || next >= LISTS.length) return false;
      choose(LISTS[next]);
      return true;
    }
    if (name === "again") return (read(), true);
    if (name === "back" && pane.contains(document.activeElement)) return table.focus();
    return false;
  }

  drawPane(null);
  return {
    element,
    open: () => {
      if (kept.found) draw();
      read();
    },
    close: () => asking?.abort(),
    draw: () => {},
    act,
  };
}
