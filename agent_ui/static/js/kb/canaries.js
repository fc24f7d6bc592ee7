// Test questions: each must find its article, or a new version is not served.
//
// In: the questions the server keeps, how the newest publish ended. Out: a list that can be changed.

import { h, setText } from "../dom.js";
import { mountPicker } from "./picker.js";
import { button, emptiness, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { putCanary, readCanaries, readTitles, removeCanary } from "./server.js";

/** @param {{news, onOpen: (id: string) => void}} page */
export function mountCanaries(t, { news, onOpen }) {
  const said = h("p", { class: "kb-hint", role: "status" });
  const list = h("div", { class: "kb-canaries" }, skeleton(3));
  const question = h("input", {
    type: "text",
    maxlength: "500",
    placeholder: t("canary.question"),
    "aria-label": t("canary.question"),
  });
  const within = h("input", {
    type: "number",
    min: "1",
    max: "50",
    value: "3",
    "aria-label": t("canary.within"),
  });
  const target = h("span", { class: "kb-target" });
  const picker = mountPicker(t, { label: t("canary.article"), onPick: choose });
  const add = h("button", { type: "submit", class: "primary" }, t("canary.add"));
  const form = h(
    "form",
    { class: "kb-canary-form" },
    question,
    picker.element,
    target,
    h("label", { class: "kb-inline" }, t("canary.within"), within),
    add,
  );
  const element = h(
    "section",
    { class: "kb-box", "aria-label": t("canary.title") },
    h("div", { class: "kb-box-head" }, h("h2", {}, t("canary.title")), said),
    h("p", { class: "kb-hint" }, t("canary.how")),
    list,
    form,
  );
  let article = null;
  let verdict = { stage: "never", count: 0, message: "" };
  let drawn = [];

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (question.value.trim() === "") return question.focus();
    if (article === null) return picker.focus();
    const canary = {
      question: question.value.trim(),
      article_id: article.article_id,
      within: Number(within.value) || 3,
    };
    whileWorking(
      add,
      async () => {
        await putCanary(canary);
        question.value = "";
        choose(null);
        await refresh();
        question.focus();
      },
      failed,
    );
  });

  function failed(error) {
    news.tell(reasonOf(error, t), { level: "bad" });
  }

  function choose(next) {
    article = next;
    setText(target, next ? t("canary.finds", { title: next.title }) : "");
  }

  async function refresh() {
    try {
      const canaries = await readCanaries();
      const titles = canaries.length > 0 ? await readTitles(canaries.map((one) => one.article_id)) : {};
      drawn = canaries.map((canary) => ({ ...canary, told: titles[canary.article_id] }));
      draw();
    } catch (error) {
      list.replaceChildren(sorry(error, t, refresh));
    }
  }

  /** @param {object} state how the newest publish stands */
  function tell(state) {
    const next = {
      stage: state.stage,
      count: state.canaries,
      message: state.message ?? "",
      code: state.code,
    };
    if (JSON.stringify(next) === JSON.stringify(verdict)) return;
    verdict = next;
    draw();
  }

  function draw() {
    setText(said, verdictText());
    if (drawn.length === 0) {
      list.replaceChildren(emptiness(t("canary.none"), t("canary.none.how")));
      return;
    }
    list.replaceChildren(h("ol", {}, ...drawn.map(row)));
  }

  function verdictText() {
    if (verdict.stage === "done" && verdict.count > 0) return t("canary.passed", { count: verdict.count });
    if (verdict.code === "kb.canary_failed") return t("canary.failed");
    return "";
  }

  function row(canary) {
    const mark = verdictOf(canary);
    return h(
      "li",
      { "data-verdict": mark },
      h("span", { class: "kb-verdict" }, mark ? t(`canary.${mark}`) : ""),
      h("span", { class: "kb-canary-question" }, canary.question),
      h(
        "button",
        { type: "button", class: "kb-link", onclick: () => onOpen(canary.article_id) },
        canary.told?.title ?? canary.article_id,
      ),
      h("span", { class: "kb-hint" }, t("canary.among", { count: canary.within })),
      button(t("canary.remove"), (event) => remove(event.currentTarget, canary)),
    );
  }

  /** A finished publish says that all passed; a failed one names those that did not. */
  function verdictOf(canary) {
    if (verdict.stage === "done" && verdict.count === drawn.length) return "ok";
    const isNamed = verdict.code === "kb.canary_failed" && verdict.message.includes(`“${canary.question}”`);
    return isNamed ? "bad" : null;
  }

  function remove(from, { question: words, article_id, within: among }) {
    return whileWorking(
      from,
      async () => {
        await removeCanary(words);
        await refresh();
        news.tell(t("canary.removed"), {
          undo: () => putCanary({ question: words, article_id, within: among }).then(refresh).catch(failed),
        });
      },
      failed,
    );
  }

  return { element, refresh, tell };
}
