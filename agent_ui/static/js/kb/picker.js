// Choosing one article by a few words.
//
// In: words typed. Out: a field with a list below it, and the article that was chosen.
// Not known here: what it is chosen for.

import { h, searchField, setAttribute } from "../dom.js";
import { reasonOf } from "../parts.js";
import { listArticles } from "./server.js";

const PAUSE_MS = 200;
const RESULTS = 8;
let made = 0;

/** @param {{label: string, onPick: (article) => void, onCancel?: () => void}} options */
export function mountPicker(t, { label, onPick, onCancel }) {
  const listId = `kb-picker-${(made += 1)}`;
  const field = searchField({
    role: "combobox",
    "aria-label": label,
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    placeholder: label,
    maxlength: "200",
  });
  const list = h("ul", { id: listId, class: "kb-picker-list", role: "listbox", hidden: true });
  const element = h("div", { class: "kb-picker" }, field, list);
  let timer = 0;
  let asking = new AbortController();
  let found = [];
  let current = 0;

  field.addEventListener("input", (event) => {
    if (!event.isComposing) later();
  });
  field.addEventListener("compositionend", later);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "ArrowDown") point(current + 1);
    else if (event.key === "ArrowUp") point(current - 1);
    else if (event.key === "Enter") pick(found[current]);
    else if (event.key === "Escape" && (field.value !== "" || onCancel)) cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  element.addEventListener("focusout", (event) => {
    if (!element.contains(event.relatedTarget)) show([]);
  });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const words = field.value.trim();
    if (words === "") return show([]);
    try {
      const query = { q: words, body: true, limit: RESULTS };
      show((await listArticles(query, asking.signal)).articles, words);
    } catch (error) {
      if (error.name === "AbortError") return;
      list.replaceChildren(h("li", { class: "kb-picker-none" }, reasonOf(error, t)));
      open(true);
    }
  }

  function show(articles, words = "") {
    found = articles;
    list.replaceChildren(
      ...articles.map((article, place) =>
        h(
          "li",
          {
            role: "option",
            id: `${listId}-${place}`,
            onmousedown: (event) => event.preventDefault(),
            onclick: () => pick(article),
          },
          h("span", {}, article.title),
          h("small", {}, [article.article_id, article.department].filter(Boolean).join(" · ")),
        ),
      ),
    );
    if (articles.length === 0 && words) {
      list.append(h("li", { class: "kb-picker-none" }, t("results.none", { words })));
    }
    open(list.childElementCount > 0);
    point(0);
  }

  function open(isOpen) {
    list.hidden = !isOpen;
    setAttribute(field, "aria-expanded", String(isOpen));
  }

  function point(place) {
    current = Math.min(found.length - 1, Math.max(0, place));
    [...list.children].forEach((row, index) => {
      setAttribute(row, "aria-selected", found.length > 0 ? String(index === current) : null);
    });
    setAttribute(field, "aria-activedescendant", found.length > 0 ? `${listId}-${current}` : null);
  }

  function pick(article) {
    if (!article) return;
    field.value = "";
    show([]);
    onPick(article);
  }

  function cancel() {
    field.value = "";
    show([]);
    onCancel?.();
  }

  return { element, focus: () => field.focus() };
}
