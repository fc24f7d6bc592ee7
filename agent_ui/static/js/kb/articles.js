// The list of articles with its search, filters and pages, and the editor beside it.
//
// In: the page's words and news. Out: a view, and what keys ask of it.
// Not known here: how an article is edited.

import { h, keyedRows, lock, setAttribute, setText } from "../dom.js";
import { today } from "../format.js";
import { mountBulk } from "./bulk.js";
import { mountEditor } from "./editor.js";
import { mountFilters } from "./filters.js";
import { emptyListing, isFiltered, noFilters, PAGE, questionOf, reduceListing } from "./listing.js";
import { button, emptiness, many, skeleton, sorry } from "../parts.js";
import { createRow, updateRow } from "./rows.js";
import { listArticles, readUsageOf } from "./server.js";

/** @param {{news, drafts, onChanged: () => void, survey: () => object|null, pending: () => Set<string>}} page */
export function mountArticles(t, page) {
  let state = emptyListing();
  let usage = {};
  let asking = new AbortController();
  let lastError = null;
  const { drafts } = page;

  const filters = mountFilters(t, {
    onFilter: (changes) => apply({ type: "filtered", changes }),
    onOrder: (order) => apply({ type: "ordered", order }),
  });
  const create = button(t("list.new"), () => openNew(), {
    class: "primary",
    title: `${t("list.new.tip")} (N)`,
  });
  filters.tools.append(create);
  const all = h("input", { type: "checkbox", "aria-label": t("list.chooseAll") });
  all.addEventListener("change", () =>
    apply({ type: "chosen", articles: state.rows, isChosen: all.checked }),
  );
  const head = (key, name) => h("th", { scope: "col", class: `kb-${name}` }, t(key));
  const body = h("tbody");
  const table = h(
    "table",
    { class: "kb-table", "aria-label": t("list.title") },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col", class: "kb-check" }, all),
        head("field.title", "title"),
        head("field.category", "category"),
        head("field.department", "department"),
        head("list.state", "state"),
        head("list.validity", "validity"),
        h("th", { scope: "col", class: "kb-usage", title: t("list.usage.tip") }, t("list.usage")),
        head("list.changed", "changed"),
      ),
    ),
    body,
  );
  const place = h("div", { class: "kb-list-state" });
  const scroll = h("div", { class: "kb-scroll", tabindex: "0", "aria-label": t("list.title") }, table, place);
  const range = h("span", { class: "kb-range", role: "status" });
  const turn = (pages, label, key) =>
    button(label, () => apply({ type: "turned", pages }), {
      title: `${t(key)} (${pages < 0 ? "[" : "]"})`,
      "aria-label": t(key),
    });
  const back = turn(-1, "‹", "list.pageBack");
  const on = turn(1, "›", "list.pageOn");
  const pageField = h("input", { type: "number", min: "1", class: "kb-page", "aria-label": t("list.page") });
  pageField.addEventListener("change", () =>
    apply({ type: "turned", pages: Number(pageField.value) - 1 - state.offset / PAGE }),
  );
  const pages = h("span", { class: "kb-pages" });
  const bulk = mountBulk(t, {
    chosen: () => state.chosen,
    survey: page.survey,
    news: page.news,
    onDone: (articles) => {
      for (const article of articles) editor.isOpen(article.article_id) && editor.show(article);
      apply({ type: "unchosen" });
      refresh();
      page.onChanged();
    },
    onClear: () => apply({ type: "unchosen" }),
  });
  const foot = h(
    "div",
    { class: "kb-foot" },
    bulk.element,
    h("div", { class: "kb-pager" }, range, back, pageField, pages, on),
  );
  const list = h(
    "section",
    { class: "kb-list", "aria-label": t("list.title") },
    filters.element,
    scroll,
    foot,
  );
  const editor = mountEditor(t, {
    ...page,
    onSaved: (article) => {
      apply({ type: "changed", article });
      apply({ type: "pointed", article_id: article.article_id });
      page.onChanged();
      refresh();
    },
    onDraft: drawRows,
    onLeave: () => scroll.focus(),
  });
  const element = h("div", { class: "kb-articles" }, list, editor.element);

  const showRows = keyedRows(body, {
    key: ({ article }) => article.article_id,
    create: ({ article }) =>
      createRow(t, {
        onOpen: () => open(article.article_id),
        onChoose: (isChosen) =>
          apply({
            type: "chosen",
            articles: state.rows.filter((row) => row.article_id === article.article_id),
            isChosen,
          }),
      }),
    update: (row, item) => updateRow(row, item, t),
  });

  function apply(event) {
    const before = state;
    state = reduceListing(state, event);
    if (state.asked !== before.asked) ask();
    draw();
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const { asked } = state;
    try {
      const found = await listArticles(questionOf(state, today(Date.now())), asking.signal);
      apply({ type: "came", asked, total: found.total, rows: found.articles });
      if (found.articles.length === 0) return;
      usage = { ...usage, ...(await readUsageOf(found.articles.map((one) => one.article_id))) };
      drawRows();
    } catch (error) {
      if (error.name === "AbortError") return;
      lastError = error;
      apply({ type: "failed", asked, code: error.code ?? "network" });
    }
  }

  function refresh() {
    apply({ type: "asked" });
  }

  function draw() {
    filters.update(state, page.survey());
    bulk.update(state.filters.show === "deleted");
    drawRows();
    setAttribute(scroll, "aria-busy", state.phase === "loading" ? "true" : null);
    if (state.phase === "failed") place.replaceChildren(sorry(lastError, t, refresh));
    else if (state.rows.length > 0) place.replaceChildren();
    else if (state.phase === "loading") place.replaceChildren(skeleton(10));
    else if (isFiltered(state)) place.replaceChildren(nothingFits());
    else place.replaceChildren(emptiness(t("list.empty"), t("list.empty.how")));
    table.hidden = state.phase === "failed" || state.rows.length === 0;
    const first = state.total === 0 ? 0 : state.offset + 1;
    const last = Math.min(state.total, state.offset + PAGE);
    setText(
      range,
      t("list.range", { first: many(first, t), last: many(last, t), total: many(state.total, t) }),
    );
    const pageCount = Math.max(1, Math.ceil(state.total / PAGE));
    lock(back, state.offset === 0);
    lock(on, state.offset + PAGE >= state.total);
    if (document.activeElement !== pageField) pageField.value = String(state.offset / PAGE + 1);
    setText(pages, `/ ${many(pageCount, t)}`);
    const chosenHere = state.rows.filter((row) => row.article_id in state.chosen).length;
    all.checked = state.rows.length > 0 && chosenHere === state.rows.length;
    all.indeterminate = chosenHere > 0 && !all.checked;
  }

  function drawRows() {
    const onDay = today(Date.now());
    const kept = new Set(drafts.ids());
    showRows(
      state.rows.map((article) => ({
        article,
        usage: usage[article.article_id] ?? null,
        isCurrent: article.article_id === state.cursor,
        isChosen: article.article_id in state.chosen,
        hasDraft: kept.has(article.article_id),
        isPending: page.pending().has(article.article_id),
        onDay,
      })),
    );
  }

  function nothingFits() {
    const clear = button(t("list.clear"), () => apply({ type: "filtered", changes: noFilters() }));
    return emptiness(t("list.none"), t("list.none.how"), clear);
  }

  function current() {
    return state.rows.find((row) => row.article_id === state.cursor) ?? null;
  }

  function open(id) {
    apply({ type: "pointed", article_id: id });
    const article = current();
    if (article) editor.show(article);
  }

  function openNew() {
    apply({ type: "pointed", article_id: null });
    editor.showNew();
  }

  function move(by) {
    apply({ type: "moved", by });
    const article = current();
    if (article === null) return;
    editor.show(article);
    body.querySelector("[data-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** Do what a key asks for; false where it means nothing here. */
  function act(name) {
    if (name === "down") move(1);
    else if (name === "up") move(-1);
    else if (name === "open") {
      if (current() === null) return false;
      editor.focus();
    } else if (name === "choose") {
      if (current() === null) return false;
      apply({ type: "chosen", articles: [current()], isChosen: !(state.cursor in state.chosen) });
    } else if (name === "pageBack") apply({ type: "turned", pages: -1 });
    else if (name === "pageOn") apply({ type: "turned", pages: 1 });
    else if (name === "new") openNew();
    else if (name === "search") filters.focus();
    else if (name === "delete") return bulk.isActive() ? bulk.remove() : editor.remove();
    else if (name === "save") return editor.save();
    else if (name === "back") return bulk.back() || editor.back() || filters.back(() => scroll.focus());
    else return false;
    return true;
  }

  refresh();
  return {
    element,
    act,
    refresh,
    redraw: draw,
    openArticle: (article) => {
      apply({ type: "pointed", article_id: article.article_id });
      editor.show(article);
    },
    flush: editor.flush,
    close: editor.flush,
  };
}
