// What can be done with the article that is open: save, review, delete, restore.
//
// In: the article and whether something was typed. Out: the article afterwards.
// Not known here: its fields, its history.

import { h, lock, setText } from "../dom.js";
import { reasonOf, whileWorking } from "../parts.js";
import { deleteArticle, moveArticle, readArticle, restoreArticle } from "./server.js";

/** @param {{news, survey, save: (isDraft: boolean) => void, onDone: (article) => void,
 *   onGone: (article) => void}} actions */
export function mountDeeds(t, { news, survey, save, onDone, onGone }) {
  let shown = null;
  const deed = (key, onclick, more = {}) =>
    h("button", { type: "button", onclick: (event) => onclick(event.currentTarget), ...more }, t(key));
  const keep = deed("deed.save", () => save(false), { class: "primary", title: "Ctrl+S" });
  const keepDraft = deed("deed.draft", () => save(true), { title: t("deed.draft.tip") });
  const approve = deed("deed.approve", (from) => move(from, "approved"), { class: "primary" });
  const note = h("input", {
    type: "text",
    maxlength: "1000",
    placeholder: t("deed.note"),
    "aria-label": t("deed.note"),
  });
  const sendBack = deed("deed.sendBack", (from) => move(from, "draft"));
  const review = h(
    "div",
    { class: "kb-review", hidden: true },
    h("span", {}, t("deed.waits")),
    approve,
    note,
    sendBack,
  );
  const drop = deed("deed.delete", (from) => remove(from), { title: `${t("deed.delete.tip")} (Delete)` });
  const restore = deed("deed.restore", (from) => bringBack(from), { class: "primary" });
  const element = h("div", { class: "kb-deeds" }, keep, keepDraft, restore, review, drop);

  const failed = (error) => news.tell(reasonOf(error, t), { level: "bad" });

  function move(from, to) {
    const { article_id: id, revision } = shown;
    return whileWorking(
      from,
      async () => {
        const kept = await moveArticle(id, revision, to, note.value.trim());
        note.value = "";
        news.tell(t(`moved.${to}`, { title: kept.title }));
        onDone(kept);
      },
      failed,
    );
  }

  function remove(from = drop) {
    if (shown === null || shown.deleted_at) return false;
    const { article_id: id, revision, title } = shown;
    whileWorking(
      from,
      async () => {
        const kept = await deleteArticle(id, revision);
        news.tell(t("deleted.one", { title }), { undo: () => bringBack(restore, id) });
        onGone(kept);
      },
      failed,
    );
    return true;
  }

  function bringBack(from, id = shown.article_id) {
    return whileWorking(
      from,
      async () => {
        const kept = await restoreArticle(id);
        news.tell(t("restored.one", { title: kept.title }));
        if (shown?.article_id === id) onDone(kept);
        else onGone(await readArticle(id));
      },
      failed,
    );
  }

  /** Whether saving does something although nothing was typed: a draft becomes one that can go out. */
  function canSave(article, isDraft) {
    if (article === null || article.deleted_at || isDraft) return false;
    return article.state === "draft";
  }

  function update({ article, isDirty, isSaving, hasConflict }) {
    shown = article;
    const hasReview = survey()?.needs_review ?? false;
    const isDeleted = Boolean(article?.deleted_at);
    keep.hidden = isDeleted;
    keepDraft.hidden = isDeleted;
    setText(keep, t(isSaving ? "deed.saving" : hasReview ? "deed.submit" : "deed.save"));
    lock(keep, isSaving || hasConflict || !(isDirty || canSave(article, false)));
    lock(keepDraft, isSaving || hasConflict || !isDirty);
    review.hidden = isDeleted || article?.state !== "review";
    // What was typed has to be saved first; the row stays, so that nothing moves under the hand.
    for (const one of [approve, sendBack]) lock(one, isDirty || isSaving);
    restore.hidden = !isDeleted;
    drop.hidden = article === null || isDeleted;
  }

  return { element, update, remove, canSave };
}
