// The editor beside the list: one article, its fields, its card, its history, what operators found wrong.
//
// In: an article to show. Out: the article as it was saved. What is typed and not saved stays in this browser,
// whatever happens, and is offered again.

import { ApiError } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { conflictPanel } from "./conflict.js";
import { mountDeeds } from "./deeds.js";
import { NEW } from "./drafts.js";
import { blankTexts, contentOf, differing, faultOf, textsOf } from "./fields.js";
import { mountForm } from "./form.js";
import { mountHistory } from "./history.js";
import { emptiness, moment, reasonOf, sorry } from "../parts.js";
import { mountPreview } from "./preview.js";
import { reportRow } from "./reports.js";
import { createArticle, readArticle, readReports, saveArticle } from "./server.js";

const KEEP_AFTER_MS = 300;
const TABS = ["content", "history", "reports"];

/** @param {{news, drafts, survey, onSaved: (article) => void, onDraft: () => void, onLeave: () => void}} page */
export function mountEditor(t, page) {
  const { news, drafts } = page;
  let article = null;
  let isShown = false;
  let base = blankTexts();
  let tab = "content";
  let isSaving = false;
  let timer = 0;
  let asking = new AbortController();

  const form = mountForm(t, { onInput: typed, survey: page.survey });
  const preview = mountPreview(t);
  const history = mountHistory(t, { news, onReverted: taken });
  const reports = h("section", {
    class: "kb-reports",
    hidden: true,
    tabindex: "0",
    "aria-label": t("editor.reports"),
  });
  const name = h("h2");
  const facts = h("span", { class: "kb-hint" });
  const saved = h("span", { class: "kb-unsaved", role: "status" });
  const tabs = TABS.map((key) =>
    h("button", { type: "button", role: "tab", onclick: () => turn(key) }, t(`editor.${key}`)),
  );
  const deeds = mountDeeds(t, {
    news,
    save: (draft) => save(draft),
    onDone: taken,
    onGone: gone,
    survey: page.survey,
  });
  const banner = h("div", { class: "kb-banner", hidden: true });
  const work = h("div", { class: "kb-work" });
  const empty = emptiness(t("editor.empty"), t("editor.empty.how"));
  const pane = h(
    "div",
    { class: "kb-pane", hidden: true },
    h(
      "div",
      { class: "kb-editor-head" },
      h("div", { class: "kb-editor-name" }, name, h("p", { class: "kb-editor-facts" }, facts, saved)),
      h("div", { role: "tablist", class: "kb-tabs" }, ...tabs),
    ),
    deeds.element,
    banner,
    work,
    preview.element,
  );
  work.append(form.element, history.element, reports);
  const element = h("section", { class: "kb-editor", "aria-label": t("editor.title") }, empty, pane);

  // ---- what is shown --------------------------------------------------------------------------------------

  function show(next) {
    if (isShown && article?.article_id === next.article_id && article.revision === next.revision) return;
    flush();
    begin(next, textsOf(next));
    takeDraft(next.article_id);
    look(next);
  }

  function showNew() {
    flush();
    begin(null, blankTexts());
    takeDraft(NEW);
    form.focus();
  }

  function begin(next, texts) {
    asking.abort();
    asking = new AbortController();
    article = next;
    isShown = true;
    base = texts;
    closeConflict();
    banner.hidden = true;
    form.fill(texts);
    work.scrollTop = 0;
    draw();
    if (tab !== "content") turn(next === null ? "content" : tab);
    else turn("content");
  }

  /** The list may be older than the server: take up what is newer, unless something was typed. */
  async function look(shown, isForced = false) {
    const { signal } = asking;
    try {
      const [now, found] = await Promise.all([
        readArticle(shown.article_id, signal),
        readReports({ article_id: shown.article_id, open: true, limit: 1 }, signal),
      ]);
      setText(
        tabs[2],
        found.total > 0 ? t("editor.reports.open", { count: found.total }) : t("editor.reports"),
      );
      if (isForced || (now.revision !== article?.revision && !isDirty())) begin(now, textsOf(now));
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof ApiError)) throw error;
    }
  }

  function turn(key) {
    tab = key;
    tabs.forEach((one, place) => setAttribute(one, "aria-selected", String(TABS[place] === key)));
    const isConflict = work.querySelector(".kb-conflict") !== null;
    form.element.hidden = key !== "content" || isConflict;
    history.element.hidden = key !== "history";
    reports.hidden = key !== "reports";
    if (key === "history") history.show(article);
    if (key === "reports") showReports();
    preview.update(key === "content" && !isConflict ? contentOf(form.texts()) : null);
  }

  async function showReports() {
    if (article === null) return reports.replaceChildren(emptiness(t("reports.none"), t("reports.none.how")));
    try {
      const found = await readReports({ article_id: article.article_id, limit: 200 }, asking.signal);
      const rows = found.reports.map((report) => reportRow(t, report, { news, onAnswered: showReports }));
      reports.replaceChildren(
        found.total > 0 ? h("ol", {}, ...rows) : emptiness(t("reports.none"), t("reports.none.how")),
      );
      const open = found.reports.filter((report) => report.answer === null).length;
      setText(tabs[2], open > 0 ? t("editor.reports.open", { count: open }) : t("editor.reports"));
    } catch (error) {
      if (error.name !== "AbortError") reports.replaceChildren(sorry(error, t, showReports));
    }
  }

  function draw() {
    empty.hidden = isShown;
    pane.hidden = !isShown;
    if (!isShown) return;
    const isDeleted = Boolean(article?.deleted_at);
    setText(name, article === null ? t("editor.new") : article.title);
    setAttribute(name, "title", article?.title ?? null);
    const revision = article && t("history.revision", { revision: article.revision });
    const state = article && t(`state.${isDeleted ? "deleted" : article.state}`);
    setText(
      facts,
      article ? [article.article_id, revision, state, moment(article.updated_at, t)].join(" · ") : "",
    );
    setText(saved, isDirty() ? t("editor.unsaved") : "");
    form.lock(isDeleted);
    deeds.update({
      article,
      isDirty: isDirty(),
      isSaving,
      hasConflict: work.querySelector(".kb-conflict") !== null,
    });
  }

  // ---- what was typed -------------------------------------------------------------------------------------

  function isDirty() {
    return isShown && differing(base, form.texts()).length > 0;
  }

  function typed() {
    preview.update(contentOf(form.texts()));
    draw();
    clearTimeout(timer);
    timer = setTimeout(flush, KEEP_AFTER_MS);
  }

  /** Keep what was typed in this browser. */
  function flush() {
    clearTimeout(timer);
    if (!isShown) return;
    const id = article?.article_id ?? NEW;
    const wasKept = drafts.read(id) !== null;
    if (isDirty()) {
      const draft = { texts: form.texts(), base, revision: article?.revision ?? 0, atMs: Date.now() };
      const { isKept, dropped } = drafts.keep(id, draft);
      if (!isKept) news.tell(t("draft.full"), { level: "bad" });
      else if (dropped !== null) news.tell(t("draft.dropped", { id: dropped }), { level: "bad" });
    } else drafts.forget(id);
    if (wasKept !== isDirty()) page.onDraft();
  }

  /** Go on with what was typed the last time; giving it up can be undone. */
  function takeDraft(id) {
    const draft = drafts.read(id);
    if (draft === null) return;
    const texts = { ...blankTexts(), ...draft.texts };
    if (differing(base, texts).length === 0) return drafts.forget(id);
    // Made for an older revision: saving will ask what to keep.
    if (article && draft.revision !== article.revision) {
      base = draft.base;
      article = { ...article, revision: draft.revision };
    }
    form.fill(texts);
    const drop = () => {
      drafts.forget(id);
      if (article === null) begin(null, blankTexts());
      else look(article, true);
      page.onDraft();
      const undo = () => {
        drafts.keep(id, draft);
        page.onDraft();
        if ((article?.article_id ?? NEW) === id) takeDraft(id);
      };
      news.tell(t("draft.dropped.one"), { undo });
    };
    const at = moment(new Date(draft.atMs).toISOString(), t);
    banner.replaceChildren(
      h("span", {}, t("draft.taken", { at })),
      h("button", { type: "button", onclick: drop }, t("draft.drop")),
    );
    banner.hidden = false;
    preview.update(contentOf(form.texts()));
    draw();
  }

  // ---- saving ---------------------------------------------------------------------------------------------

  function save(isDraft = false) {
    if (!isShown || isSaving || article?.deleted_at || work.querySelector(".kb-conflict")) return false;
    if (!isDirty() && !deeds.canSave(article, isDraft)) return true;
    const fault = faultOf(form.texts());
    if (fault !== null) {
      turn("content");
      form.showFault({ field: fault.field, text: t(fault.key) });
      return true;
    }
    send(isDraft);
    return true;
  }

  async function send(isDraft) {
    const before = article;
    const texts = form.texts();
    const content = contentOf(texts);
    flush();
    isSaving = true;
    draw();
    try {
      const kept = before
        ? await saveArticle(before.article_id, before.revision, content, isDraft)
        : await createArticle(content, isDraft);
      drafts.forget(before?.article_id ?? NEW);
      isSaving = false;
      news.tell(t(`saved.${kept.state}`, { title: kept.title }));
      const later = form.texts();
      const isSame = (article?.article_id ?? NEW) === (before?.article_id ?? NEW);
      if (isSame) {
        article = kept;
        base = textsOf(kept);
        banner.hidden = true;
        // What was typed while it was being saved stays typed.
        if (differing(texts, later).length === 0) form.fill(base);
        typed();
        if (tab === "history") history.show(kept);
      }
      page.onSaved(kept);
    } catch (error) {
      isSaving = false;
      refused(error, before, texts);
    }
    draw();
  }

  function refused(error, before, texts) {
    if (!(error instanceof ApiError)) throw error;
    if ((article?.article_id ?? NEW) !== (before?.article_id ?? NEW)) {
      news.tell(reasonOf(error, t), { level: "bad" }); // somebody moved on; the draft is kept
    } else if (error.status === 412 && error.detail.current && !error.detail.current.deleted_at) {
      conflict(error.detail.current, texts);
    } else news.tell(reasonOf(error, t), { level: "bad" });
  }

  function conflict(current, yours) {
    closeConflict();
    const panel = conflictPanel(t, {
      base,
      current,
      yours,
      onMerged: (texts) => {
        const id = article?.article_id ?? NEW;
        closeConflict();
        if (id !== current.article_id) drafts.forget(id);
        article = current;
        base = textsOf(current);
        form.fill(texts);
        turn("content");
        typed();
        flush();
        form.focus();
      },
      onLater: () => {
        closeConflict();
        turn("content");
        draw();
      },
    });
    work.prepend(panel);
    turn("content");
    panel.focus();
  }

  function closeConflict() {
    work.querySelector(".kb-conflict")?.remove();
  }

  /** Another revision of the article that is shown, by something else than typing. */
  function taken(kept) {
    flush();
    begin(kept, textsOf(kept));
    takeDraft(kept.article_id);
    page.onSaved(kept);
  }

  function gone(kept) {
    if (article?.article_id === kept.article_id) {
      begin(kept, textsOf(kept));
    }
    page.onSaved(kept);
  }

  function back() {
    const conflictOpen = work.querySelector(".kb-conflict");
    if (conflictOpen && element.contains(document.activeElement)) {
      closeConflict();
      turn("content");
      draw();
      return true;
    }
    if (!element.contains(document.activeElement)) return false;
    flush();
    page.onLeave();
    return true;
  }

  draw();
  return {
    element,
    show,
    showNew,
    save: () => save(false),
    remove: () => deeds.remove(),
    back,
    flush,
    focus: () => (turn("content"), form.focus()),
    isOpen: (id) => isShown && article?.article_id === id,
  };
}
