// The steps of an article, newest first, with what each changed, and the way back to any of them.
//
// In: an article. Out: its history, and the article as it is after going back.

import { h } from "../dom.js";
import { changesOf } from "./diffview.js";
import { textsOf } from "./fields.js";
import { emptiness, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { readHistory, revertArticle } from "./server.js";

/** @param {{onReverted: (article) => void, news}} actions */
export function mountHistory(t, { onReverted, news }) {
  const element = h("section", {
    class: "kb-history",
    hidden: true,
    tabindex: "0",
    "aria-label": t("history.title"),
  });
  let asking = new AbortController();

  async function show(article) {
    asking.abort();
    asking = new AbortController();
    if (article === null) {
      element.replaceChildren(emptiness(t("history.empty"), t("history.empty.how")));
      return;
    }
    element.replaceChildren(skeleton(5));
    try {
      draw(article, await readHistory(article.article_id, asking.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      element.replaceChildren(sorry(error, t, () => show(article)));
    }
  }

  function draw(article, steps) {
    element.replaceChildren(
      h(
        "ol",
        { class: "kb-steps" },
        ...steps.map((step, place) => row(article, step, steps[place + 1] ?? null)),
      ),
    );
  }

  function row(article, step, before) {
    const isNow = step.revision === article.revision;
    const back = h(
      "button",
      { type: "button", onclick: (event) => revert(event.currentTarget, article, step.revision) },
      t("history.revert"),
    );
    const action = t.knows(`action.${step.action}`) ? t(`action.${step.action}`) : step.action;
    return h(
      "li",
      {},
      h(
        "div",
        { class: "kb-step-head" },
        h("b", {}, t("history.revision", { revision: step.revision })),
        h("span", {}, action),
        h("span", {}, step.author || t("history.nobody")),
        h("time", { datetime: step.at }, moment(step.at, t)),
        h("span", { class: "kb-hint" }, step.note),
        isNow ? h("span", { class: "kb-hint" }, t("history.now")) : article.deleted_at ? "" : back,
      ),
      before === null ? "" : changesOf(textsOf(before.content), textsOf(step.content), t),
    );
  }

  function revert(from, article, revision) {
    return whileWorking(
      from,
      async () => {
        const kept = await revertArticle(article.article_id, article.revision, revision);
        news.tell(t("history.reverted", { revision }), {
          undo: async () => {
            try {
              onReverted(await revertArticle(kept.article_id, kept.revision, article.revision));
              news.tell(t("history.reverted", { revision: article.revision }));
            } catch (error) {
              news.tell(reasonOf(error, t), { level: "bad" });
            }
          },
        });
        onReverted(kept);
      },
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    );
  }

  return { element, show };
}
