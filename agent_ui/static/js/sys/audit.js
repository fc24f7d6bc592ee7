// The view of the audit log: who did what, when, from where; newest first.
//
// In: filters, kept while the page is open. Out: a list, page by page, and the same as a file.
// Not known here: what an action means beyond its words.

import { h, saveFile, setText } from "../dom.js";
import { zone } from "../format.js";
import { button, emptiness, moment, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountChoice, mountPager, mountSearch } from "./controls.js";
import {
  DEEDS,
  deedText,
  isBackwards,
  isFiltered,
  noFilters,
  PAGE,
  questionOf,
  targetText,
} from "./deeds.js";
import { fetchAudit, readAccounts, readAudit } from "./server.js";
import { mountTable } from "./table.js";

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountAudit(t, page) {
  const { news, kept } = page;
  if (page.session.is_open) {
    const element = h(
      "div",
      { class: "sys-view sys-alone" },
      emptiness(t("open.title"), t("open.audit.how")),
    );
    return { element, open: () => {}, close: () => {}, act: () => false, unsaved: () => false };
  }
  kept.filters ??= noFilters();
  kept.offset ??= 0;
  kept.names ??= [];
  let asking = null;
  const table = mountTable(t, {
    label: t("audit.title"),
    key: (entry) => String(entry.entry_id),
    columns: [
      { name: "at", label: t("audit.at"), cell: ({ at }) => timeOf(at) },
      { name: "who", label: t("audit.who"), cell: ({ who }) => who || "—" },
      {
        name: "action",
        label: t("audit.action"),
        cell: ({ action }) => ({ text: deedText(action, t), title: action }),
      },
      { name: "target", label: t("audit.target"), cell: targetCell },
      { name: "from", label: t("audit.address"), cell: ({ address }) => placeOf(address) },
    ],
  });
  const names = h("datalist", { id: "sys-audit-names" });
  const who = mountSearch({
    label: t("audit.byWho"),
    value: kept.filters.who,
    key: "",
    onSearch: (text) => filter({ who: text }),
  });
  who.element.querySelector("input").setAttribute("list", names.id);
  const about = mountChoice({
    label: t("audit.about"),
    value: kept.filters.about,
    options: [
      { value: "", text: t("audit.about") },
      ...Object.keys(DEEDS).map((name) => ({ value: name, text: t(`about.${name}`) })),
    ],
    onChoose: (value) => filter({ about: value }),
  });
  const search = mountSearch({
    label: t("audit.search"),
    value: kept.filters.q,
    onSearch: (q) => filter({ q }),
  });
  const days = ["from", "to"].map((name) => {
    const field = h("input", { type: "date", "aria-label": t(`audit.${name}`), title: t(`audit.${name}`) });
    field.value = kept.filters[name];
    field.addEventListener("change", () => filter({ [name]: field.value }));
    return field;
  });
  const clear = button(t("audit.clear"), forget);
  const fault = h("span", { class: "sys-fault", role: "alert" });
  const down = button(t("audit.download"), (event) => whileWorking(event.currentTarget, download, failed));
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), read()) });
  const element = h(
    "div",
    { class: "sys-view sys-main" },
    h(
      "div",
      { class: "sys-head", role: "search" },
      who.element,
      names,
      about.element,
      search.element,
      h("span", { class: "sys-inline" }, days[0], t("audit.until"), days[1]),
      clear,
      fault,
    ),
    table.element,
    h("div", { class: "sys-foot" }, down, h("span", { class: "sys-hint" }, t("audit.how")), pager.element),
  );

  function filter(changes) {
    Object.assign(kept.filters, changes);
    kept.offset = 0;
    read();
  }

  function forget() {
    kept.filters = noFilters();
    kept.offset = 0;
    who.set("");
    search.set("");
    about.set("");
    for (const field of days) field.value = "";
    read();
  }

  async function read() {
    const { filters } = kept;
    clear.disabled = !isFiltered(filters);
    setText(fault, isBackwards(filters) ? t("audit.backwards") : "");
    if (isBackwards(filters)) return;
    asking?.abort();
    asking = new AbortController();
    table.wait();
    try {
      kept.found = await readAudit(
        { ...questionOf(filters, zone), offset: kept.offset, limit: PAGE },
        asking.signal,
      );
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      pager.update(0, 0);
      table.say(sorry(error, t, read));
    }
  }

  function draw() {
    const { total, entries } = kept.found;
    pager.update(kept.offset, total);
    if (entries.length > 0) table.show(entries);
    else if (isFiltered(kept.filters)) table.say(emptiness(t("audit.notFound"), t("audit.notFound.how")));
    else table.say(emptiness(t("audit.none"), t("audit.none.how")));
  }

  /** Names to choose from; without them a name can still be typed. */
  async function learnNames() {
    try {
      kept.names = await readAccounts();
    } catch (error) {
      reasonOf(error, t);
    }
    names.replaceChildren(
      ...kept.names.map(({ name, display_name: shown }) => h("option", { value: name }, shown)),
    );
  }

  function targetCell({ action, target }) {
    const text = targetText(action, target, t);
    return { text: text || "—", title: text };
  }

  const timeOf = (at) => ({ text: moment(at, t, { withSeconds: true }) });
  const placeOf = (address) => (address === "command line" ? t("audit.commandLine") : address || "—");

  async function download() {
    saveFile(await fetchAudit(questionOf(kept.filters, zone)), `audit-${kept.filters.from || "all"}.csv`);
    news.tell(t("audit.downloaded"));
  }

  function failed(error) {
    news.tell(reasonOf(error, t), { level: "bad" });
  }

  function open() {
    if (kept.found) draw();
    read();
    learnNames();
  }

  function act(name) {
    if (name === "pageBack" || name === "pageOn") return pager.turn(name === "pageOn" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "again") return (read(), true);
    return name === "back" && (search.back() || who.back());
  }

  return { element, open, close: () => asking?.abort(), act, unsaved: () => false };
}
