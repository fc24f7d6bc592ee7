// The list of calls with what they are looked for by.
//
// In: typed words, chosen filters. Out: a table, and calls of `onOpen`. Not known here: what a call's record holds.

import { h, lock, saveFile, searchField, setAttribute } from "../dom.js";
import { duration } from "../format.js";
import { button, emptiness, moment, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountChoice, mountPager, mountTabs } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { fetchSheet, findCalls, readCalls } from "./server.js";
import { isEmptyWish, noWish, PAGE, pageOf, questionOf } from "./wishes.js";

const KINDS = ["咨询", "求助", "投诉", "建议", "举报"];
const PAUSE_MS = 300;

/** @param {{kept: object, news, refused: (error) => void, onOpen: (row) => void}} page */
export function mountCallList(t, { kept, news, refused, onOpen }) {
  kept.wish ??= noWish();
  kept.offset ??= 0;
  let asking = new AbortController();
  let answer = null;
  let chosen = null;
  let timer = 0;
  const table = mountTable(t, {
    label: t("calls.list"),
    key: ({ callId }) => callId,
    onOpen,
    columns: [
      { name: "callAt", label: t("col.callAt"), cell: ({ at }) => moment(at, t) },
      { name: "callCaller", label: t("col.callCaller"), cell: ({ caller }) => caller ?? t("call.noCaller") },
      { name: "callSeat", label: t("col.callSeat"), cell: ({ operator }) => operator ?? "—" },
      { name: "callText", label: t("col.callText"), cell: textCell },
      { name: "callKind", label: t("col.callKind"), cell: ({ kind }) => ({ text: kind || "—", title: kind }) },
      { name: "callLong", label: t("col.callLong"), cell: longCell },
    ],
  });
  const search = searchField({ class: "call-words", placeholder: t("calls.find"), "aria-label": t("calls.find"), title: `${t("calls.find")} (/)`, maxlength: "100" });
  const by = mountTabs({
    names: ["text", "sound"],
    label: t("calls.by"),
    text: (name) => t(`calls.by.${name}`),
    chosen: kept.wish.by,
    onChoose: (name) => change({ by: name }, kept.wish.q.trim() !== ""),
  });
  const field = (name, label, more = {}) => {
    const element = h("input", { "aria-label": label, placeholder: label, title: label, autocomplete: "off", maxlength: "64", class: `call-${name}`, ...more });
    element.value = kept.wish[name];
    element.addEventListener("input", (event) => event.isComposing || change({ [name]: element.value }));
    element.addEventListener("compositionend", () => change({ [name]: element.value }));
    return element;
  };
  const day = (name) => h("label", { class: "sys-inline" }, t(`calls.${name}`), fields[name]);
  const fields = {
    caller: field("caller", t("calls.caller"), { inputmode: "tel" }),
    operator: field("operator", t("calls.operator")),
    from: field("from", t("calls.from"), { type: "date", placeholder: null, maxlength: null }),
    to: field("to", t("calls.to"), { type: "date", placeholder: null, maxlength: null }),
    category: field("category", t("calls.category")),
  };
  const kind = mountChoice({
    label: t("calls.kind"),
    value: kept.wish.kind,
    options: [{ value: "", text: t("calls.kind.any") }, ...KINDS.map((name) => ({ value: name, text: name }))],
    onChoose: (value) => change({ kind: value }, true),
  });
  const clear = button(t("calls.clear"), empty, { hidden: true });
  const sheet = button(t("calls.sheet"), download, { title: t("calls.sheet.tip") });
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), read()) });
  search.value = kept.wish.q;
  search.addEventListener("input", (event) => event.isComposing || change({ q: search.value }));
  search.addEventListener("compositionend", () => change({ q: search.value }));
  const element = h(
    "section",
    { class: "sys-main call-list", "aria-label": t("calls.list") },
    h(
      "div",
      { class: "sys-head call-head" },
      h("h2", {}, t("calls.list")),
      h("span", { class: "sys-search", role: "search" }, search, h("kbd", { "aria-hidden": "true" }, "/")),
      by.element,
      h("span", { class: "call-far" }, clear, sheet),
    ),
    h("div", { class: "call-filters" }, fields.caller, fields.operator, day("from"), day("to"), kind.element, fields.category),
    table.element,
    h("div", { class: "sys-foot" }, pager.element),
  );

  function textCell({ text, more }) {
    return { text: text || "—", title: text, sub: more > 0 ? t("calls.more", { count: more }) : "" };
  }

  function longCell({ seconds, state }) {
    if (state !== null && state !== "ended") return { text: t(`call.${state}`), mark: "look" };
    return seconds === null ? "" : duration(seconds, t.language);
  }

  function change(part, isAtOnce = false) {
    kept.wish = { ...kept.wish, ...part };
    kept.offset = 0;
    clearTimeout(timer);
    timer = setTimeout(read, isAtOnce ? 0 : PAUSE_MS);
    drawHead();
  }

  function empty() {
    kept.wish = { ...noWish(), by: kept.wish.by };
    search.value = "";
    for (const one of Object.values(fields)) one.value = "";
    kind.set("");
    change({}, true);
    search.focus();
  }

  function drawHead() {
    const isSearch = kept.wish.q.trim() !== "";
    clear.hidden = isEmptyWish(kept.wish);
    for (const one of [kind.element, fields.category]) {
      one.disabled = isSearch;
      setAttribute(one, "title", isSearch ? t("calls.search.rest") : null);
    }
    lock(sheet, isSearch);
  }

  async function read() {
    clearTimeout(timer);
    asking.abort();
    const { signal } = (asking = new AbortController());
    const { isSearch, query } = questionOf(kept.wish, kept.offset);
    table.wait();
    try {
      answer = pageOf(await (isSearch ? findCalls : readCalls)(query, signal));
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      refused(error);
      answer = null;
      pager.update(0, 0);
      table.say(sorry(error, t, read));
    }
  }

  function draw() {
    pager.update(kept.offset, answer.total);
    if (answer.rows.length > 0) return table.show(answer.rows, chosen);
    const name = isEmptyWish(kept.wish) ? "calls.none" : "calls.notFound";
    table.say(emptiness(t(name), t(`${name}.how`)));
  }

  function download() {
    const { query } = questionOf({ ...kept.wish, q: "" }, 0);
    return whileWorking(
      sheet,
      async () => {
        const name = `calls-${kept.wish.from || "all"}.csv`;
        saveFile(await fetchSheet({ ...query, offset: null, limit: null }), name);
        news.tell(t("calls.saved", { name }));
      },
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    );
  }

  function back() {
    if (element.contains(document.activeElement) && document.activeElement.matches("input, select")) return (table.focus(), true);
    if (isEmptyWish(kept.wish)) return false;
    empty();
    return true;
  }

  drawHead();
  return {
    element,
    open: (callId) => {
      chosen = callId;
      if (answer) draw();
      return read();
    },
    close: () => (asking.abort(), clearTimeout(timer)),
    move: table.move,
    turn: pager.turn,
    focus: table.focus,
    find: () => (search.focus(), search.select(), true),
    back,
  };
}
