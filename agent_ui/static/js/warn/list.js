// The list of warnings: filters above, rows, pages below. Rows change where they stand; new ones come on top unless
// somebody is at the list.
//
// In: a box, filters, the server's warnings. Out: a list, and calls of `onOpen`. Not known here: what an open one is.

import { ApiError } from "../api.js";
import { h, saveFile } from "../dom.js";
import { today } from "../format.js";
import { button, emptiness, many, moment, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountChoice, mountPager, mountSearch } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { LAYERS, questionOf } from "./deeds.js";
import { fetchFile, readWarnings } from "./server.js";
import { courseOf, nameOf, sizeOf, whereOf } from "./telling.js";

const SIZE = 50;
const BLANK = { q: "", layer: "", district: "", rated: "" };

/** @param {{news, kept: object, refused: (error) => void, onOpen: (id: string) => void,
 *   onRead: (found: object) => void}} page */
export function mountList(t, page) {
  const { kept, news } = page;
  kept.filters ??= { ...BLANK };
  kept.offset ??= 0;
  let warnings = [];
  let total = 0;
  let isRead = false;
  let asking = new AbortController();
  const table = mountTable(t, {
    label: t("list.title"),
    key: (warning) => warning.warning_id,
    onOpen: (warning) => page.onOpen(warning.warning_id),
    columns: [
      {
        name: "matter",
        label: t("list.matter"),
        cell: (warning) => ({
          text: nameOf(warning, t),
          sub: warning.severity ? t(`severity.${warning.severity}`) : warning.category === warning.name ? "" : warning.category,
          subMark: warning.severity ? "bad" : null,
          title: warning.title,
        }),
      },
      { name: "where", label: t("list.where"), cell: (warning) => ({ text: whereOf(warning, t), title: warning.districts.join("、") }) },
      { name: "size", label: t("list.size"), cell: (warning) => ({ text: sizeOf(warning, t), title: t("list.size.tip") }) },
      { name: "raised", label: t("list.raised"), cell: (warning) => ({ text: moment(warning.raised_at, t), title: courseOf(warning, t) }) },
      { name: "course", label: t("list.course"), cell: (warning) => ({ text: t(warning.over_at ? "course.over" : "course.on"), mark: warning.over_at ? null : "look" }) },
      { name: "at", label: t("list.state"), cell: ({ state }) => ({ text: t(`state.${state}`), mark: state === "open" ? "bad" : null }) },
      { name: "rated", label: t("list.rated"), cell: ({ is_true: isTrue }) => (isTrue === null ? "—" : { text: t(`rated.${isTrue}`), mark: isTrue ? null : "look" }) },
    ],
  });
  const search = mountSearch({ label: t("list.search"), value: kept.filters.q, onSearch: (q) => filter({ q }) });
  const choice = (name, options) =>
    mountChoice({
      label: t(`list.all.${name}`),
      value: kept.filters[name],
      options: [{ value: "", text: t(`list.all.${name}`) }, ...options],
      onChoose: (value) => filter({ [name]: value }),
    });
  const layer = choice("layer", LAYERS.map((value) => ({ value, text: t(`layer.${value}`) })));
  const district = choice("district", []);
  const rated = choice("rated", ["none", "true", "false"].map((value) => ({ value, text: t(`rated.${value}`) })));
  const leave = button(t("list.export"), () => whileWorking(leave, exportList, tell), { title: t("list.export.tip") });
  const changed = button(t("list.changed"), () => refresh(), { class: "ord-changed", title: "R", hidden: true });
  const pager = mountPager(t, { size: SIZE, onTurn: (offset) => ((kept.offset = offset), refresh()) });
  const foot = h("div", { class: "sys-foot" }, changed, pager.element);
  const element = h(
    "div",
    { class: "sys-main" },
    h("div", { class: "sys-head" }, h("div", { class: "sys-tools" }, search.element, layer.element, district.element, rated.element, h("span", { class: "ord-far" }, leave))),
    table.element,
    foot,
  );

  const question = () => ({ ...questionOf(kept.box, kept.filters), offset: kept.offset, limit: SIZE });

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
      take(await readWarnings(question(), asking.signal));
      isRead = true;
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      [warnings, isRead] = [[], false];
      pager.update(0, 0);
      table.say(sorry(error, t, refresh));
    }
  }

  function take(found) {
    ({ warnings, total } = found);
    page.onRead(found);
  }

  function draw() {
    pager.update(kept.offset, total);
    if (warnings.length > 0) return table.show(warnings, kept.chosen);
    const isFiltered = Object.values(kept.filters).some(Boolean);
    table.say(
      isFiltered
        ? emptiness(t("list.none.filter"), t("list.none.filter.how"), button(t("list.clear"), clear))
        : emptiness(t(`none.${kept.box}`), t("none.how")),
    );
  }

  function clear() {
    search.set("");
    for (const one of [layer, district, rated]) one.set("");
    filter({ ...BLANK });
    search.focus();
  }

  const isSomebodyThere = () => table.element.matches(":hover") || table.element.contains(document.activeElement);

  /** Look whether anything is new. Rows change where they are; others come unasked only where nobody is at the list. */
  async function look() {
    if (!isRead) return refresh();
    if (element.querySelector("[aria-busy]")) return;
    const asked = asking;
    try {
      const found = await readWarnings(question(), asked.signal);
      if (asked !== asking) return;
      const fresh = new Map(found.warnings.map((warning) => [warning.warning_id, warning]));
      const isSame = found.warnings.length === warnings.length && warnings.every(({ warning_id: id }) => fresh.has(id));
      page.onRead(found);
      if (isSame || warnings.length === 0 || !isSomebodyThere()) {
        ({ warnings, total } = found);
        changed.hidden = true;
        return draw();
      }
      warnings = warnings.map((warning) => fresh.get(warning.warning_id) ?? warning);
      changed.hidden = false;
      table.show(warnings, kept.chosen);
    } catch (error) {
      if (!(error instanceof ApiError) && error.name !== "AbortError") throw error; // the next look may succeed
      if (error instanceof ApiError) page.refused(error);
    }
  }

  /** Show a warning as it is now, in the row where it stands. */
  function update(warning) {
    warnings = warnings.map((one) => (one.warning_id === warning.warning_id ? warning : one));
    if (warnings.length > 0) table.show(warnings, kept.chosen);
  }

  async function exportList() {
    const { offset: _offset, limit: _limit, ...asked } = question();
    saveFile(await fetchFile(asked), `预警-${today(Date.now())}.csv`);
    news.tell(t("list.exported", { count: many(total, t) }));
  }

  const tell = (error) => news.tell(reasonOf(error, t), { level: "bad" });

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "pageBack" || name === "pageOn") return pager.turn(name === "pageOn" ? 1 : -1) || true;
    if (name === "again") return (refresh(), true);
    if (name === "export") return (leave.click(), true);
    return name === "back" ? search.back() : false;
  }

  return {
    element,
    foot,
    refresh,
    look,
    update,
    act,
    mark: () => warnings.length > 0 && table.show(warnings, kept.chosen),
    focus: table.focus,
    offerDistricts: (names) =>
      district.offer([{ value: "", text: t("list.all.district") }, ...names.map((name) => ({ value: name, text: name }))]),
    close: () => asking.abort(),
  };
}
