// Search in the knowledge base from the desk.
//
// In: words typed. Out: a field, a list of results, and calls of `actions`.
// Not known here: how results are found; what happens to one that is opened.

import { ApiError, searchArticles } from "./api.js";
import { h, searchField, setText } from "./dom.js";

const PAUSE_MS = 250;
const RESULTS = 10;

/** @param {{onShow: () => void, onClose: () => void, onLeave: () => void,
 *   onOpen: (result) => void}} actions `onLeave`: the field is left for what had the focus before */
export function mountSearch(t, actions) {
  const field = searchField({
    class: "search-field",
    placeholder: t("knowledge.search"),
    title: t("knowledge.search.tip"),
    "aria-label": t("knowledge.search"),
    spellcheck: "false",
    maxlength: "200",
  });
  const form = h(
    "form",
    { class: "search", role: "search" },
    field,
    h("kbd", { "aria-hidden": "true" }, "/"),
  );
  const count = h("p", { class: "results-count", role: "status" });
  const list = h("ol", { class: "results-list" });
  const element = h(
    "section",
    { class: "results", hidden: true, "aria-label": t("results.title") },
    count,
    list,
  );

  let timer = 0;
  let asking = new AbortController();
  let asked = "";

  field.addEventListener("input", (event) => {
    if (!event.isComposing) later();
  });
  field.addEventListener("compositionend", later);
  field.addEventListener("keydown", onFieldKey);
  list.addEventListener("keydown", onListKey);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  async function ask() {
    clearTimeout(timer);
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    asked = field.value.trim();
    if (asked === "") {
      actions.onClose();
      return;
    }
    actions.onShow();
    if (list.childElementCount === 0)
      list.replaceChildren(...[1, 2, 3].map(() => h("li", { class: "result-skeleton" })));
    try {
      show(await searchArticles(asked, RESULTS, signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      setText(count, "");
      const again = h("button", { type: "button", onclick: ask }, t("article.retry"));
      const sorry = h("p", {}, t("results.error", { code: error.code }));
      list.replaceChildren(h("li", { class: "sorry", role: "alert" }, sorry, again));
    }
  }

  function show(results) {
    setText(count, results.length > 0 ? t("results.count", { count: results.length }) : "");
    if (results.length === 0) {
      const none = h("p", { class: "placeholder-title" }, t("results.none", { words: asked }));
      list.replaceChildren(h("li", { class: "placeholder" }, none, h("p", {}, t("results.none.how"))));
      return;
    }
    list.replaceChildren(...results.map(resultRow));
  }

  function resultRow(result) {
    const origin = [result.department, result.source].filter(Boolean).join(" · ");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "result", onclick: () => actions.onOpen(result) },
        h("span", { class: "result-title" }, result.title),
        h("span", { class: "result-excerpt" }, result.excerpt),
        h("span", { class: "result-origin" }, origin),
      ),
    );
  }

  function onFieldKey(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") list.querySelector("button")?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function onListKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...list.querySelectorAll("button")];
    const next = buttons.indexOf(document.activeElement) + step;
    (next < 0 ? field : buttons[Math.min(next, buttons.length - 1)])?.focus();
  }

  function close() {
    clearTimeout(timer);
    asking.abort();
    field.value = "";
    list.replaceChildren();
    setText(count, "");
    actions.onClose();
    actions.onLeave();
  }

  function focus() {
    field.focus();
    field.select();
  }

  return { form, element, field, focus, close };
}
