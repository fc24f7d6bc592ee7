// Every card of this call, also those that gave way to others.
//
// In: the call's history, what is on screen, and the marks. Out: a list in the room of the cards.
// Not known here: how a card is opened.

import { h, keyedRows, setAttribute, setText } from "./dom.js";
import { clockTime } from "./format.js";
import { MARK } from "./protocol.js";

/** @param {{onBack: () => void, onOpen: (card) => void}} actions */
export function mountHistory(t, actions) {
  const list = h("ol", { class: "history-list" });
  const none = h(
    "div",
    { class: "placeholder" },
    h("p", { class: "placeholder-title" }, t("history.none")),
    h("p", {}, t("history.none.how")),
  );
  const back = h("button", { type: "button", title: `${t("article.back")} (Esc)`, onclick: actions.onBack }, `← ${t("article.back")}`);
  const element = h(
    "section",
    { class: "history", hidden: true, "aria-label": t("history.title") },
    h("div", { class: "article-bar" }, back, h("h3", {}, t("history.title"))),
    list,
    none,
  );
  const show = keyedRows(list, {
    key: (row) => row.card.article_id,
    create: (row) =>
      h(
        "li",
        { "data-article": row.card.article_id },
        h(
          "button",
          { type: "button", class: "result", onclick: ({ currentTarget }) => actions.onOpen(currentTarget.card) },
          h("span", { class: "result-title" }),
          h("span", { class: "result-excerpt" }),
          h("span", { class: "result-origin" }),
        ),
      ),
    update: (element_, row) => {
      const button = element_.firstChild;
      button.card = { ...row.card, suggestion_id: row.suggestion_id };
      const [title, excerpt, origin] = button.children;
      setText(title, row.card.title);
      setText(excerpt, row.card.excerpt);
      const said = [clockTime(Date.parse(row.at)), row.card.department, ...row.said.map((key) => t(key))];
      setText(origin, said.filter(Boolean).join(" · "));
      setAttribute(element_, "data-on-screen", row.isOnScreen ? "true" : null);
    },
  });

  function update({ history, cards, marks }) {
    const onScreen = new Set(cards.filter(Boolean).map((card) => card.article_id));
    none.hidden = history.length > 0;
    show(
      history.map((one) => {
        const isOnScreen = onScreen.has(one.card.article_id);
        return { ...one, isOnScreen, said: saidOf(marks[one.card.article_id] ?? {}, isOnScreen) };
      }),
    );
  }

  const anchor = () => list.querySelector("button") ?? back;

  return { element, update, anchor, focus: () => anchor().focus({ preventScroll: true }) };
}

function saidOf({ isUsed, verdict }, isOnScreen) {
  const verdicts = { [MARK.HELPFUL]: "history.helpful", [MARK.WRONG]: "history.wrong" };
  return [isOnScreen && "history.onScreen", isUsed && "history.used", verdicts[verdict]].filter(Boolean);
}
