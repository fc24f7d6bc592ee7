// The operator's card as it will look, while the article is being written.
//
// In: an article's content. Out: a card; its words come from the server, which makes them as in a call.

import { ApiError } from "../api.js";
import { h, setText } from "../dom.js";
import { day, today } from "../format.js";
import { validityOf } from "./fields.js";
import { previewCard } from "./server.js";

const PAUSE_MS = 250;

export function mountPreview(t) {
  const question = h("select", { "aria-label": t("preview.asked") });
  const title = h("p", { class: "kb-card-title" });
  const excerpt = h("p", { class: "kb-card-excerpt" });
  const origin = h("p", { class: "kb-card-origin" });
  const card = h("div", { class: "kb-card" }, title, excerpt, origin);
  const element = h(
    "section",
    { class: "kb-preview", "aria-label": t("preview.title") },
    h("div", { class: "kb-preview-head" }, h("h3", {}, t("preview.title")), question),
    card,
  );
  let timer = 0;
  let asking = new AbortController();
  let content = null;
  let offered = "";
  question.addEventListener("change", ask);

  /** @param {object|null} next what the article says now */
  function update(next) {
    content = next;
    element.hidden = next === null;
    if (next === null) return;
    offer(next.questions);
    setText(title, next.title || t("preview.untitled"));
    const validity = validityOf(next, today(Date.now()));
    const until = validity === "later" ? next.effective_from : next.expires_on;
    const valid = t(`validity.${validity}`, { day: until ? day(until, t.language) : "" });
    setText(origin, [next.department, next.district, valid, next.source].filter(Boolean).join(" · "));
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  function offer(questions) {
    const key = questions.join("\n");
    if (key === offered) return;
    offered = key;
    const chosen = question.value;
    question.replaceChildren(
      h("option", { value: "" }, t("preview.anyQuestion")),
      ...questions.map((one) => h("option", { value: one }, one)),
    );
    question.value = questions.includes(chosen) ? chosen : "";
  }

  async function ask() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    if (content === null) return;
    try {
      const told = await previewCard(content, question.value, asking.signal);
      setText(excerpt, told.excerpt || t("preview.empty"));
      delete card.dataset.stale;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      setText(excerpt, t("preview.failed"));
      card.dataset.stale = "true";
    }
  }

  return { element, update };
}
