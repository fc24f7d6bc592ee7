// The list of work orders: filters above, rows, pages below. What is being read stays where it is.
//
// In: a box, filters, the server's orders. Out: a list, and calls of `onOpen`. Not known here: what an open order is.

import { ApiError } from "../api.js";
import { h, saveFile } from "../dom.js";
import { today } from "../format.js";
import { button, emptiness, many, moment, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountChoice, mountPager, mountSearch } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { questionOf } from "./boxes.js";
import { TYPES, URGENCIES } from "./content.js";
import { dueWords } from "./due.js";
import { fetchFile, readOrders } from "./server.js";

const SIZE = 50;
const BLANK = { q: "", type: "", urgency: "", unit: "" };

/** @param {{news, part: string, kept: object, units: () => object, refused: (error) => void,
 *   onOpen: (id: string) => void, onNew: () => void}} page */
export function mountList(t, page) {
  const { kept, news, part } = page;
  kept.filters ??= { ...BLANK };
  kept.offset ??= 0;
  let orders = [];
  let total = 0;
  let asking = new AbortController();
  const kind = (content) => t(`kind.${content.type}`);
  const mark = (urgency) => ({ 特急: "bad", 紧急: "look" })[urgency] ?? null;
  const table = mountTable(t, {
    label: t("list.title"),
    key: (order) => order.order_id,
    onOpen: (order) => page.onOpen(order.order_id),
    columns: [
      {
        name: "matter",
        label: t("list.summary"),
        cell: ({ content }) => ({
          text: content.summary,
          sub: content.urgency === "普通" ? kind(content) : `${t(`haste.${content.urgency}`)} · ${kind(content)}`,
          subMark: mark(content.urgency),
          title: content.summary,
        }),
      },
      { name: "place", label: t("list.place"), cell: ({ content }) => placeOf(content) },
      ...(part === "department"
        ? []
        : [
            {
              name: "unit",
              label: t("list.who"),
              cell: ({ content }) => page.units().nameOf(content.department_id) || "—",
            },
          ]),
      { name: "begun", label: t("list.begun"), cell: (order) => moment(order.created_at, t) },
      { name: "at", label: t("list.state"), cell: ({ state }) => t(`state.${state}`) },
      {
        name: "due",
        label: t("list.due"),
        cell: (order) => {
          const { text, level } = dueWords(order, Date.now(), t);
          return { text: text || "—", mark: level, title: order.due_at ? moment(order.due_at, t) : null };
        },
      },
    ],
  });
  const search = mountSearch({ label: t("list.search"), value: kept.filters.q, onSearch: (q) => filter({ q }) });
  const choice = (name, values, word) =>
    mountChoice({
      label: t(`list.${name}`),
      value: kept.filters[name],
      options: [
        { value: "", text: t(`list.${name}`) },
        ...values.map((value) => ({ value, text: t(`${word}.${value}`) })),
      ],
      onChoose: (value) => filter({ [name]: value }),
    });
  const type = choice("type", TYPES, "kind");
  const urgency = choice("urgency", URGENCIES, "haste");
  const unit = mountChoice({
    label: t("list.unit"),
    value: kept.filters.unit,
    options: [{ value: "", text: t("list.unit") }],
    onChoose: (value) => filter({ unit: value }),
  });
  unit.element.classList.add("ord-unit");
  const leave = button(t("list.export"), () => whileWorking(leave, exportList, tell), { title: t("list.export.tip") });
  const add =
    part === "centre" ? button(t("list.new"), page.onNew, { class: "primary", title: `${t("list.new")} (N)` }) : "";
  const changed = button(t("list.changed"), () => refresh(), { class: "ord-changed", title: "R", hidden: true });
  const pager = mountPager(t, { size: SIZE, onTurn: (offset) => ((kept.offset = offset), refresh()) });
  const element = h(
    "div",
    { class: "sys-main", "data-part": part },
    h(
      "div",
      { class: "sys-head" },
      h(
        "div",
        { class: "sys-tools" },
        search.element,
        type.element,
        urgency.element,
        part === "centre" ? unit.element : "",
        h("span", { class: "ord-far" }, leave, add),
      ),
    ),
    table.element,
    h("div", { class: "sys-foot" }, changed, pager.element),
  );

  function placeOf({ district, address }) {
    return (address.startsWith(district) ? address : `${district}${address}`) || "—";
  }

  function question() {
    const { q, type: wanted, urgency: haste, unit: id } = kept.filters;
    const typed = { q: q || null, type: wanted || null, urgency: haste || null, department_id: id || null };
    return { ...questionOf(kept.box), ...typed };
  }

  function filter(changes) {
    Object.assign(kept.filters, changes);
    kept.offset = 0;
    refresh();
  }

  /** Read the list anew; rows that are there stay until the new ones come. */
  async function refresh() {
    asking.abort();
    asking = new AbortController();
    changed.hidden = true;
    table.wait();
    try {
      const found = await readOrders({ ...question(), offset: kept.offset, limit: SIZE }, asking.signal);
      ({ orders, total } = found);
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      orders = [];
      pager.update(0, 0);
      table.say(sorry(error, t, refresh));
    }
  }

  function draw() {
    pager.update(kept.offset, total);
    if (orders.length > 0) return table.show(orders, kept.chosen);
    const isFiltered = Object.values(kept.filters).some(Boolean);
    table.say(
      isFiltered
        ? emptiness(t("list.none.filter"), t("list.none.filter.how"), button(t("list.clear"), clear))
        : emptiness(t("list.none"), t("list.none.how")),
    );
  }

  function clear() {
    search.set("");
    for (const one of [type, urgency, unit]) one.set("");
    filter({ ...BLANK });
    search.focus();
  }

  /** Look whether anything is new. Rows change where they are; none comes or goes unasked. */
  async function look() {
    if (element.querySelector("[aria-busy]")) return;
    const asked = asking;
    try {
      const found = await readOrders({ ...question(), offset: kept.offset, limit: SIZE }, asked.signal);
      if (asked !== asking) return;
      const fresh = new Map(found.orders.map((order) => [order.order_id, order]));
      const isSame = found.orders.length === orders.length && orders.every(({ order_id: id }) => fresh.has(id));
      if (orders.length === 0 && found.orders.length > 0) return void refresh();
      orders = orders.map((order) => fresh.get(order.order_id) ?? order);
      changed.hidden = isSame;
      if (orders.length > 0) table.show(orders, kept.chosen);
    } catch (error) {
      if (!(error instanceof ApiError) && error.name !== "AbortError") throw error; // the next look may succeed
      if (error instanceof ApiError) page.refused(error);
    }
  }

  /** Show an order as it is now, in the row where it stands. */
  function update(order) {
    orders = orders.map((one) => (one.order_id === order.order_id ? order : one));
    if (orders.length > 0) table.show(orders, kept.chosen);
  }

  async function exportList() {
    const file = await fetchFile(question());
    saveFile(file, `工单-${today(Date.now())}.csv`);
    news.tell(t("list.exported", { count: many(total, t) }));
  }

  const tell = (error) => news.tell(reasonOf(error, t), { level: "bad" });

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "pageBack" || name === "pageOn") return pager.turn(name === "pageOn" ? 1 : -1) || true;
    if (name === "again") return (refresh(), true);
    if (name === "export") return (leave.click(), true);
    if (name === "new" && add) return (page.onNew(), true);
    return name === "back" ? search.back() : false;
  }

  return {
    element,
    refresh,
    look,
    update,
    act,
    mark: () => orders.length > 0 && table.show(orders, kept.chosen),
    focus: table.focus,
    offerUnits: (units) =>
      unit.offer([{ value: "", text: t("list.unit") }, ...units.names.map(({ id, name }) => ({ value: id, text: name }))]),
    close: () => asking.abort(),
  };
}
