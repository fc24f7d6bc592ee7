// One row of the list of articles.
//
// In: an article with its counts and marks. Out: a row that stays the same element.
// Not known here: which rows there are.

import { h, setAttribute, setText } from "../dom.js";
import { day } from "../format.js";
import { validityOf } from "./fields.js";
import { moment } from "../parts.js";

/** @param {{onOpen: () => void, onChoose: (isChosen: boolean) => void}} actions */
export function createRow(t, { onOpen, onChoose }) {
  const check = h("input", { type: "checkbox" });
  check.addEventListener("change", () => onChoose(check.checked));
  const cell = (name, ...children) => h("td", { class: `kb-${name}` }, ...children);
  const row = h(
    "tr",
    {},
    cell("check", check),
    cell(
      "title",
      h("div", { class: "kb-title-line" }, h("span", { class: "kb-name" }), h("span", { class: "kb-marks" })),
      h("div", { class: "kb-sub" }),
    ),
    cell("category"),
    cell("department"),
    cell("state", h("span", { class: "kb-state" })),
    cell("validity"),
    cell("usage"),
    cell("changed", h("div"), h("div", { class: "kb-sub" })),
  );
  row.addEventListener("click", (event) => {
    if (!event.target.closest(".kb-check")) onOpen();
  });
  return row;
}

/** Change what differs. */
export function updateRow(row, item, t) {
  const { article, usage, isCurrent, isChosen, hasDraft, isPending, onDay } = item;
  const find = (selector) => row.querySelector(selector);
  setAttribute(row, "data-current", isCurrent ? "true" : null);
  setAttribute(row, "aria-selected", String(isCurrent));
  const check = find(".kb-check input");
  check.checked = isChosen;
  setAttribute(check, "aria-label", t("list.choose", { title: article.title }));
  setText(find(".kb-name"), article.title);
  setAttribute(find(".kb-name"), "title", article.title);
  const marks = [hasDraft ? t("list.unsaved") : "", isPending ? t("list.pending") : ""].filter(Boolean);
  setText(find(".kb-marks"), marks.join(" · "));
  const sub = [article.category, article.department, article.district].filter(Boolean).join(" · ");
  setText(find(".kb-title .kb-sub"), sub || article.article_id);
  setText(find("td.kb-category"), article.category || "—");
  setText(
    find("td.kb-department"),
    [article.department || "—", article.district].filter(Boolean).join(" · "),
  );
  const state = article.deleted_at ? "deleted" : article.state;
  setText(find("span.kb-state"), t(`state.${state}`));
  setAttribute(find("span.kb-state"), "data-state", state);
  const validity = validityOf(article, onDay);
  setText(find("td.kb-validity"), validityText(article, validity, t));
  setAttribute(find("td.kb-validity"), "data-validity", validity);
  setText(find("td.kb-usage"), usage ? `${usage.used} / ${usage.helpful}` : "");
  setAttribute(find("td.kb-usage"), "title", usage ? t("list.usage.all", usage) : null);
  setText(find(".kb-changed > div"), moment(article.updated_at, t));
  setText(find(".kb-changed > .kb-sub"), article.author || "—");
}

function validityText({ effective_from: from, expires_on: until }, validity, t) {
  if (validity === "forever") return t("validity.forever");
  if (validity === "later") return t("validity.later", { day: day(from, t.language) });
  return t(`validity.${validity}`, { day: day(until, t.language) });
}
