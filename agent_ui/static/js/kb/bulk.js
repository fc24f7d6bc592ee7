// What can be done with several articles at once.
//
// In: which are chosen. Out: buttons, and what the server did with each. Undo instead of asking first.

import { h, setText } from "../dom.js";
import { reasonOf, whileWorking } from "../parts.js";
import { changeMany } from "./server.js";

const SETTABLE = ["category", "department", "district", "effective_from", "expires_on"];

/** @param {{chosen: () => object, survey: () => object|null, news, onDone: (articles) => void,
 *   onClear: () => void}} page */
export function mountBulk(t, page) {
  const count = h("span", { class: "kb-bulk-count" });
  const deed = (key, onclick, tip) =>
    h(
      "button",
      { type: "button", title: tip ?? null, onclick: (event) => onclick(event.currentTarget) },
      t(key),
    );
  const submit = deed("bulk.submit", (from) => change(from, "submit"));
  const approve = deed("bulk.approve", (from) => change(from, "approve"));
  const sendBack = deed("bulk.sendBack", (from) => change(from, "send_back"));
  const remove = deed("bulk.delete", (from) => change(from, "delete"), "Delete");
  const restore = deed("bulk.restore", (from) => change(from, "restore"));
  const setter = deed("bulk.set", () => toggle());
  const clear = h(
    "button",
    { type: "button", class: "quiet", title: "Esc", onclick: page.onClear },
    t("bulk.clear"),
  );
  const hint = h("span", { class: "kb-hint" }, t("bulk.hint"));
  const which = h(
    "select",
    { "aria-label": t("bulk.which") },
    ...SETTABLE.map((name) => h("option", { value: name }, t(`field.${name}`))),
  );
  const words = h("datalist", { id: "kb-bulk-words" });
  const value = h("input", {
    type: "text",
    list: "kb-bulk-words",
    "aria-label": t("bulk.value"),
    maxlength: "500",
  });
  which.addEventListener("change", offer);
  const panel = h(
    "form",
    { class: "kb-bulk-panel", hidden: true },
    which,
    value,
    words,
    h("button", { type: "submit", class: "primary" }, t("bulk.apply")),
    h("button", { type: "button", title: "Esc", onclick: () => toggle(false) }, t("help.close")),
  );
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    const isDay = which.value.endsWith("_on") || which.value.endsWith("_from");
    change(setter, "set", { [which.value]: isDay ? value.value || null : value.value.trim() });
    toggle(false);
  });
  const work = h(
    "div",
    { class: "kb-bulk-work" },
    count,
    submit,
    approve,
    sendBack,
    setter,
    remove,
    restore,
    clear,
  );
  const element = h("div", { class: "kb-bulk" }, hint, work, panel);

  function toggle(isShown = panel.hidden) {
    panel.hidden = !isShown;
    if (!isShown) return setter.focus();
    offer();
    which.focus();
  }

  function offer() {
    const isDay = which.value.endsWith("_on") || which.value.endsWith("_from");
    value.type = isDay ? "date" : "text";
    value.value = "";
    const key = { category: "categories", department: "departments", district: "districts" }[which.value];
    const known = (key && page.survey()?.[key]) ?? [];
    words.replaceChildren(...known.map(({ word }) => h("option", { value: word })));
  }

  function change(from, what, fields = {}) {
    const articles = Object.entries(page.chosen()).map(([article_id, revision]) => ({
      article_id,
      revision,
    }));
    return whileWorking(
      from,
      async () => tell(what, await changeMany(what, articles, fields), articles),
      (error) => page.news.tell(reasonOf(error, t), { level: "bad" }),
    );
  }

  function tell(what, { done, results }, asked) {
    const failed = results.filter(({ code }) => code !== null);
    const said = t(`bulk.did.${what}`, { count: done });
    const worked = results.filter(({ code }) => code === null).map(({ article }) => article);
    if (failed.length === 0) page.news.tell(said, { undo: undoing(what, worked, asked) });
    else {
      const [{ article_id: id, message }] = failed;
      const some = t("bulk.failed", { said, count: failed.length, id, message });
      page.news.tell(some, { level: "bad", undo: done > 0 ? undoing(what, worked, asked) : null });
    }
    page.onDone(worked);
  }

  /** How to take it back, or null. */
  function undoing(what, worked, asked) {
    const before = new Map(asked.map(({ article_id, revision }) => [article_id, revision]));
    const how = { delete: "restore", restore: "delete", set: "revert" }[what];
    const touched = worked.filter(({ article_id, revision }) => revision !== before.get(article_id));
    if (!how || touched.length === 0) return null;
    const articles = touched.map(({ article_id, revision }) => ({
      article_id,
      revision,
      to: how === "revert" ? before.get(article_id) : null,
    }));
    return async () => {
      try {
        const { done, results } = await changeMany(how, articles);
        page.news.tell(t("bulk.undone", { count: done }), { level: done < articles.length ? "bad" : "good" });
        page.onDone(results.map(({ article }) => article).filter(Boolean));
      } catch (error) {
        page.news.tell(reasonOf(error, t), { level: "bad" });
      }
    };
  }

  function update(isDeleted = false) {
    const chosen = Object.keys(page.chosen()).length;
    setText(count, t("bulk.count", { count: chosen }));
    work.hidden = chosen === 0;
    hint.hidden = chosen > 0;
    if (chosen === 0) panel.hidden = true;
    const hasReview = page.survey()?.needs_review ?? false;
    submit.hidden = isDeleted || !hasReview;
    for (const one of [approve, sendBack, setter, remove]) one.hidden = isDeleted;
    restore.hidden = !isDeleted;
    setText(approve, t(hasReview ? "bulk.approve" : "bulk.release"));
    setText(sendBack, t(hasReview ? "bulk.sendBack" : "bulk.toDraft"));
  }

  function back() {
    if (!panel.hidden) toggle(false);
    else if (Object.keys(page.chosen()).length > 0 && element.contains(document.activeElement))
      page.onClear();
    else return false;
    return true;
  }

  return {
    element,
    update,
    back,
    isActive: () => Object.keys(page.chosen()).length > 0,
    remove: () => (change(remove, "delete"), true),
  };
}
