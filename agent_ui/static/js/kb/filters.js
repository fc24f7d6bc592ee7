// Search and filters above the list.
//
// In: what is chosen, which words are in use. Out: changes of filters. Not known here: the list.

import { h, searchField, setAttribute, setText } from "../dom.js";

const PAUSE_MS = 250;

/** @param {{onFilter: (changes: object) => void, onOrder: (order: string) => void}} actions */
export function mountFilters(t, { onFilter, onOrder }) {
  const field = searchField({
    placeholder: t("filter.search"),
    "aria-label": t("filter.search"),
    title: `${t("filter.search")} (/)`,
    maxlength: "200",
  });
  const inBody = h("input", { type: "checkbox" });
  inBody.addEventListener("change", () => onFilter({ body: inBody.checked }));
  const tools = h("div", { class: "kb-filter-tools" });
  const selects = ["state", "category", "department", "district"].map((name) => {
    const select = h("select", { "aria-label": t(`filter.${name}`) });
    select.addEventListener("change", () => onFilter({ [name]: select.value }));
    return { name, select, words: "" };
  });
  const show = ["expiring", "deleted"].map((name) => {
    const element = h("button", { type: "button", "aria-pressed": "false", title: t(`filter.${name}.tip`) });
    element.addEventListener("click", () => {
      onFilter({ show: element.getAttribute("aria-pressed") === "true" ? "all" : name });
    });
    return { name, element };
  });
  const order = h(
    "select",
    { "aria-label": t("filter.order") },
    ...["newest", "article_id", "expiry"].map((name) => h("option", { value: name }, t(`order.${name}`))),
  );
  order.addEventListener("change", () => onOrder(order.value));
  const element = h(
    "div",
    { class: "kb-filters", role: "search" },
    h(
      "div",
      { class: "kb-filter-row" },
      h("div", { class: "kb-search" }, field, h("kbd", { "aria-hidden": "true" }, "/")),
      h("label", { class: "kb-inline" }, inBody, t("filter.body")),
      tools,
    ),
    h(
      "div",
      { class: "kb-filter-row" },
      ...selects.map(({ select }) => select),
      ...show.map((one) => one.element),
      order,
    ),
  );

  let timer = 0;
  field.addEventListener("input", (event) => {
    if (!event.isComposing) later();
  });
  field.addEventListener("compositionend", later);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") search();
  });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MS);
  }

  function search() {
    clearTimeout(timer);
    onFilter({ q: field.value });
  }

  function update({ filters, order: chosenOrder }, survey) {
    if (document.activeElement !== field && field.value.trim() !== filters.q.trim()) field.value = filters.q;
    inBody.checked = filters.body;
    for (const one of selects) offer(one, filters[one.name], survey);
    for (const { name, element: chip } of show) {
      setAttribute(chip, "aria-pressed", String(filters.show === name));
      setText(chip, survey ? t(`filter.${name}.count`, { count: survey[name] }) : t(`filter.${name}`));
    }
    order.value = chosenOrder;
    order.disabled = filters.show === "expiring";
  }

  function offer(one, chosen, survey) {
    const words =
      one.name === "state"
        ? ["draft", "review", "approved"].map((word) => ({ word, count: survey?.states[word] ?? 0 }))
        : (survey?.[{ category: "categories", department: "departments", district: "districts" }[one.name]] ??
          []);
    const key = JSON.stringify([words, chosen]);
    if (key !== one.words) {
      one.words = key;
      const label = (word) => (one.name === "state" ? t(`state.${word}`) : word);
      const known = words.some(({ word }) => word === chosen) || chosen === "";
      one.select.replaceChildren(
        h("option", { value: "" }, t(`filter.${one.name}`)),
        ...(known ? [] : [h("option", { value: chosen }, label(chosen))]),
        ...words.map(({ word, count }) => h("option", { value: word }, `${label(word)} (${count})`)),
      );
    }
    one.select.value = chosen;
    setAttribute(one.select, "data-set", chosen === "" ? null : "true");
  }

  function back(onLeave) {
    if (!element.contains(document.activeElement)) return false;
    if (document.activeElement === field && field.value !== "") {
      field.value = "";
      search();
    } else onLeave();
    return true;
  }

  function focus() {
    field.focus();
    field.select();
  }

  return { element, tools, update, focus, back };
}
