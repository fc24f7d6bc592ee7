// A whole article inside the knowledge column; the call beside it goes on.
//
// In: what is known of an article from its card or search result. Out: the article as it stands on the server.

import { ApiError, fetchArticle } from "./api.js";
import { flash } from "./card.js";
import { copyText, h, keyedRows, setAttribute, setText } from "./dom.js";
import { day, labelledLines, today } from "./format.js";
import { keyOf } from "./keys.js";
import { MARK } from "./protocol.js";

/** @param {{onBack, onOpen: (card) => void, onMark: (card, mark) => boolean}} actions */
export function mountArticle(t, actions) {
  const tabs = h("ol", { class: "article-tabs" });
  const showTabs = keyedRows(tabs, {
    key: (tab) => String(tab.slot),
    create: (tab) =>
      h(
        "li",
        {},
        h(
          "button",
          { type: "button", onclick: () => openTab(tab.slot) },
          h("span", { class: "card-number" }, String(tab.slot + 1)),
          h("span"),
        ),
      ),
    update: (row, tab) => {
      const button = row.firstChild;
      setText(button.lastChild, tab.card.title);
      setAttribute(button, "title", `${tab.card.title} (${tab.slot + 1})`);
      setAttribute(button, "aria-current", tab.isOpen ? "true" : null);
      setAttribute(button, "data-new", tab.card.is_new ? t("card.new") : null);
    },
  });
  const title = h("h3", { class: "article-title" });
  const origin = h("p", { class: "article-origin" });
  const body = h("div", { class: "article-body" });
  const copyButton = h(
    "button",
    { type: "button", title: `${t("card.copy")} (${keyOf("copy")})`, onclick: copy },
    t("card.copy"),
  );
  const marking = (key, hint, mark) =>
    h(
      "button",
      { type: "button", title: `${t(key)} (${hint})`, onclick: () => actions.onMark(opened, mark()) },
      t(key),
    );
  const helpful = marking("card.helpful", keyOf("helpful"), () => MARK.HELPFUL);
  const wrong = marking("card.wrong", keyOf("wrong"), () => MARK.WRONG);
  const pin = marking("card.pin", keyOf("pin"), () => (done.isPinned ? MARK.UNPINNED : MARK.PINNED));
  const reader = h("div", { class: "article-reader", tabindex: "-1" }, title, origin, body);
  const element = h(
    "section",
    { class: "article", hidden: true, "aria-label": t("card.open") },
    h(
      "div",
      { class: "article-bar" },
      h(
        "button",
        { type: "button", title: `${t("article.back")} (Esc)`, onclick: actions.onBack },
        `← ${t("article.back")}`,
      ),
      copyButton,
      helpful,
      wrong,
      pin,
    ),
    tabs,
    reader,
  );

  let opened = null;
  let whole = null;
  let asking = new AbortController();
  let tabCards = [];
  let done = {};

  async function open(card) {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    opened = card;
    whole = null;
    draw(card, card.excerpt, [card.department, card.source]);
    body.append(h("p", { class: "article-wait", role: "status" }, t("article.loading")));
    reader.scrollTop = 0;
    try {
      whole = await fetchArticle(card.article_id, signal);
      draw(whole, whole.body, [whole.department, validity(whole, t), whole.source]);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      body.lastChild.replaceWith(sorry(error.code));
    }
  }

  function sorry(code) {
    const again = h("button", { type: "button", onclick: () => open(opened) }, t("article.retry"));
    return h("div", { class: "sorry", role: "alert" }, h("p", {}, t("article.error", { code })), again);
  }

  function draw({ title: name }, text, facts) {
    setText(title, name);
    setText(origin, facts.filter(Boolean).join(" · "));
    body.replaceChildren(
      ...labelledLines(text).map(({ label, text: line }, index) =>
        h("p", { class: index === 0 ? "article-answer" : null }, label ? h("b", {}, label) : "", line),
      ),
    );
  }

  async function copy() {
    const isCopied = await copyText(whole?.body ?? opened.excerpt);
    flash(copyButton, t(isCopied ? "card.copied" : "card.copyFailed"), t("card.copy"));
    if (isCopied && opened.suggestion_id) actions.onMark(opened, MARK.COPIED);
  }

  function openTab(slot) {
    actions.onOpen(tabCards.find((card) => card?.slot === slot));
  }

  /** The cards that came meanwhile, so that nothing is missed while an article is open, and what was done
   * with the one that is. Only what was recommended can be marked. */
  function update(cards, marks) {
    tabCards = cards;
    done = (opened && marks[opened.article_id]) ?? {};
    for (const button of [helpful, wrong, pin]) button.hidden = !opened?.suggestion_id;
    setAttribute(helpful, "aria-pressed", String(done.verdict === MARK.HELPFUL));
    setAttribute(wrong, "aria-pressed", String(done.verdict === MARK.WRONG));
    setAttribute(pin, "aria-pressed", String(Boolean(done.isPinned)));
    setText(pin, t(done.isPinned ? "card.unpin" : "card.pin"));
    const isOpen = (card) => card.article_id === opened?.article_id;
    showTabs(cards.filter(Boolean).map((card) => ({ slot: card.slot, card, isOpen: isOpen(card) })));
  }

  return {
    element,
    open,
    update,
    copy,
    opened: () => opened,
    focus: () => reader.focus({ preventScroll: true }),
  };
}

function validity({ effective_from: from, expires_on: until }, t) {
  const now = today(Date.now());
  if (from && from > now) return t("article.notYet", { day: day(from, t.language) });
  if (!until) return t("article.forever");
  return t(until <= now ? "article.expired" : "article.until", { day: day(until, t.language) });
}
