// The right column: three fixed places for cards, and in the same room search results or one whole article.
//
// In: a call's state. Out: a column, and calls of `actions`. Nothing here ever changes the size of a place.

import { mountArticle } from "./article.js";
import { mountCard } from "./card.js";
import { h, setAttribute, setText } from "./dom.js";
import { rememberFocus } from "./focus.js";
import { clockTime } from "./format.js";
import { mountHistory } from "./history.js";
import { keyOf } from "./keys.js";
import { CALL_STATE } from "./protocol.js";
import { mountSearch } from "./search.js";

const SAID_MS = 3000;

/** @param {{onMark: (card, mark: string) => boolean}} actions `onMark` is false where it could not be sent
 * @param {{reader: object, form: object}} guests an earlier call and the form of the shown one, in this room too */
export function mountKnowledge(t, actions, guests) {
  const cardActions = { onOpen: openFromCards, onMark: mark, onTouch: setCurrent };
  const places = [0, 1, 2].map((slot) => mountCard(slot, t, cardActions));
  const cards = h(
    "ol",
    { class: "cards", "aria-label": t("knowledge.cards") },
    ...places.map(({ element }) => element),
  );
  const search = mountSearch(t, {
    onShow: () => show("results"),
    onClose: () => show("cards"),
    onLeave: () => left.search?.(anchorOf("cards")),
    onOpen: (result) => openArticle(result, "results"),
  });
  const article = mountArticle(t, {
    onBack: back,
    onOpen: openFromCards,
    onMark: mark,
  });
  const history = mountHistory(t, { onBack: back, onOpen: openFromCards });
  const historyButton = h("button", {
    type: "button",
    class: "history-open",
    title: `${t("history.title")} (${keyOf("history")})`,
    onclick: () => act("history"),
  });
  const updated = h("span", { class: "knowledge-updated", role: "status" });
  const said = h("p", { class: "knowledge-said", role: "status" });
  const news = h("p", { class: "offscreen", "aria-live": "polite" });
  const element = h(
    "section",
    { class: "column column-knowledge", "aria-label": t("knowledge.title") },
    h("div", { class: "column-head" }, h("h2", {}, t("knowledge.title")), search.form),
    h("div", { class: "shelf" }, cards, search.element, article.element, history.element, guests.reader.element, guests.form.element),
    h("div", { class: "knowledge-foot" }, historyButton, updated),
    said,
    news,
  );

  let view = "cards";
  let openedFrom = "cards";
  let roomBefore = "cards";
  /** Gives the focus back to what had it when a view was left. */
  const left = {};
  let current = null;
  let drawn = { cards: null, marks: null, history: null, callId: null, isLive: null };
  let saidTimer = 0;

  function update({ state, list }) {
    tellPublished(state.published ?? list.published);
    const callId = state.call?.call_id ?? null;
    const isLive = state.call !== null && state.call.state !== CALL_STATE.ENDED;
    const isSame =
      drawn.cards === state.cards &&
      drawn.marks === state.marks &&
      drawn.history === state.history &&
      drawn.callId === callId &&
      drawn.isLive === isLive;
    if (isSame) return;
    announce(drawn.callId === callId ? drawn.cards : null, state.cards);
    if (drawn.callId !== callId) setCurrent(null);
    drawn = { cards: state.cards, marks: state.marks, history: state.history, callId, isLive };
    setText(historyButton, `${t("history.open", { count: state.history.length })} ▸`);
    history.update(state);
    const best = bestOf(state.cards, state.marks);
    places.forEach((place, slot) => {
      const card = state.cards[slot];
      const emptyText =
        slot === 0 && state.cards.every((one) => one === null)
          ? t(isLive ? "knowledge.empty.how" : "knowledge.idle")
          : "";
      const done = (card && state.marks[card.article_id]) ?? {};
      place.update({ card, mark: done, marks: state.marks, isBest: card !== null && card === best, emptyText, callId });
    });
    article.update(state.cards, state.marks);
  }

  /** That the knowledge is another one from now on: what is open may be older. */
  function tellPublished(published) {
    const at = published && clockTime(Date.parse(published.at)).slice(0, 5);
    setText(updated, published ? t("knowledge.updated", { at }) : "");
    setAttribute(updated, "title", published && t("knowledge.updated.tip", published));
  }

  function announce(before, after) {
    if (before === null) return;
    const known = new Set(before.filter(Boolean).map((card) => card.article_id));
    const titles = after.filter((card) => card && !known.has(card.article_id)).map((card) => card.title);
    if (titles.length > 0) setText(news, t("knowledge.announce", { titles: titles.join("；") }));
  }

  function show(next) {
    if (next !== view) left[view] = rememberFocus();
    if (view === "form" && next !== view) guests.form.left();
    view = next;
    history.element.hidden = view !== "history";
    for (const [name, guest] of Object.entries(guests)) guest.element.hidden = view !== name;
    cards.hidden = view !== "cards";
    search.element.hidden = view !== "results";
    article.element.hidden = view !== "article";
  }

  function openFromCards(card) {
    if (!card) return;
    setCurrent(drawn.cards?.[card.slot]?.article_id === card.article_id ? card.slot : null);
    openArticle(card, view === "article" ? openedFrom : view);
  }

  function openArticle(card, from) {
    openedFrom = from;
    show("article");
    article.open(card);
    article.update(drawn.cards ?? [], drawn.marks ?? {});
    article.focus();
  }

  /** Show another thing in this room; a step back leads to what was there before. */
  function visit(next, what) {
    if (view === "cards" || view === "results") roomBefore = view;
    show(next);
    what.focus();
    return true;
  }

  /** One step back; false where there is nowhere to go back to. */
  function back() {
    if (view === "article") return comeBackTo(openedFrom);
    if (view === "history" || view in guests) return comeBackTo(roomBefore);
    if (view === "results") {
      search.close();
      return true;
    }
    return false;
  }

  function comeBackTo(next) {
    show(next);
    left[next]?.(anchorOf(next));
    return true;
  }

  /** Where the focus goes in a view in which nothing had it. */
  function anchorOf(name) {
    if (name === "results") return search.field;
    if (name === "history") return history.anchor();
    if (name === "form") return guests.form.anchor();
    return current !== null && places[current].card() !== null ? places[current].title : cards;
  }

  function setCurrent(slot) {
    current = slot;
    places.forEach((place, index) => place.setCurrent(index === slot));
  }

  function mark(card, what) {
    const isSent = actions.onMark(card, what);
    tell(isSent ? "" : t("knowledge.offline"));
    return isSent;
  }

  function tell(text) {
    setText(said, text);
    clearTimeout(saidTimer);
    saidTimer = setTimeout(() => setText(said, ""), SAID_MS);
  }

  /** The place that single keys act on: the one last opened or touched, or the only one there is. */
  function currentPlace() {
    if (current !== null && places[current].card() !== null) return places[current];
    const filled = places.filter((place) => place.card() !== null);
    return filled.length === 1 ? filled[0] : null;
  }

  /** Do what a key asks for; false where the key means nothing here. */
  function act(name) {
    if (name === "search") {
      left.search = rememberFocus();
      search.focus();
    }
    else if (name === "form") return view === "form" ? back() : visit("form", guests.form);
    else if (name === "history") return view === "history" ? back() : visit("history", history);
    else if (name === "back") return back();
    else if (name.startsWith("expand")) return expand(Number(name.at(-1)));
    else if (name === "copy" && view === "article") article.copy();
    else if (name in places[0].act) actOnCurrent(name);
    else return false;
    return true;
  }

  function expand(slot) {
    const card = places[slot].card();
    if (card === null) return false;
    openFromCards(card);
    return true;
  }

  function actOnCurrent(name) {
    const place = currentPlace();
    const isForeign =
      view === "results" || (view === "article" && article.opened()?.article_id !== place?.card().article_id);
    if (place === null || isForeign) tell(t("knowledge.pickFirst"));
    else place.act[name]();
  }

  return { element, update, act, read: () => visit("reader", guests.reader), back };
}

/** The surest of several cards; with one card alone there is nothing to point out. */
function bestOf(cards, marks) {
  const open = cards.filter((card) => card && !marks[card.article_id]?.isDismissed);
  if (open.length < 2) return null;
  return open.reduce((best, card) => (card.score > best.score ? card : best));
}
