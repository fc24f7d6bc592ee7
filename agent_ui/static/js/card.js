// One place of the knowledge column: empty, holding a card, or holding one that was closed.
//
// In: the card of this place and what was done with it. Out: an element that stays the same for ever, and
// calls of `actions`. A new card waits while pointer or focus is here and the reader has just moved; not where
// the one that is here was closed by hand.

import { copyText, h, setAttribute, setText } from "./dom.js";
import { keyOf } from "./keys.js";
import { MARK } from "./protocol.js";

/** A pointer left lying on a card must not keep it there for the rest of the call. */
const HELD_AT_MOST_MS = 8000;
const COPIED_SHOWN_MS = 1500;

/** @param {{onOpen: (card) => void, onMark: (card, mark) => boolean, onTouch: (slot) => void}} actions */
export function mountCard(slot, t, actions) {
  const number = h("span", { class: "card-number" }, String(slot + 1));
  const title = h("button", { type: "button", class: "card-title", onclick: () => actions.onOpen(shown) });
  const fresh = h("span", { class: "card-new" }, t("card.new"));
  const closed = h("span", { class: "card-closed" }, t("card.dismissed"));
  const excerpt = h("p", { class: "card-excerpt" });
  const origin = h("p", { class: "card-origin" });
  const held = h("span", { class: "card-held", role: "status" });
  const action = (key, hint, onclick) =>
    h("button", { type: "button", title: `${t(key)}${hint}`, "aria-label": t(key), onclick }, t(key));
  const copyButton = action("card.copy", ` (${keyOf("copy")})`, copy);
  const helpful = action("card.helpful", ` (${keyOf("helpful")})`, () => mark(MARK.HELPFUL));
  const wrong = action("card.wrong", ` (${keyOf("wrong")})`, () => mark(MARK.WRONG));
  const pin = action("card.pin", ` (${keyOf("pin")})`, () => pinOrUnpin());
  const dismiss = action("card.dismiss", ` (${keyOf("dismiss")})`, () => dismissOrRestore());
  const buttons = h(
    "div",
    { class: "card-actions" },
    copyButton,
    action("card.open", ` (${keyOf(`expand${slot}`)})`, () => actions.onOpen(shown)),
    helpful,
    wrong,
    pin,
    dismiss,
  );
  const empty = h("p", { class: "card-empty" });
  const element = h(
    "li",
    { class: "card", "aria-label": t("card.slot", { n: slot + 1 }) },
    h("div", { class: "card-head" }, number, title, fresh, closed),
    excerpt,
    h("div", { class: "card-foot" }, origin, held),
    buttons,
    empty,
  );

  let shown = null;
  let drawnCallId = null;
  let wanted = { card: null, mark: {}, marks: {}, isBest: false, emptyText: "", callId: null };
  let touchedMs = -Infinity;
  let timer = 0;

  for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
    element.addEventListener(name, () => {
      touchedMs = performance.now();
      if (shown !== null && name !== "pointermove") actions.onTouch(slot);
    });
  }
  element.addEventListener("pointerleave", settle);
  element.addEventListener("focusout", () => setTimeout(settle));

  /** @param {typeof wanted} next */
  function update(next) {
    wanted = next;
    settle();
  }

  function settle() {
    clearTimeout(timer);
    const isOther = wanted.card?.article_id !== shown?.article_id;
    const isSameCall = wanted.callId === drawnCallId;
    const isClosed = Boolean(wanted.marks[shown?.article_id]?.isDismissed);
    const waitMs =
      isOther && isSameCall && !isClosed && isBeingRead() ? touchedMs + HELD_AT_MOST_MS - performance.now() : 0;
    setText(held, waitMs > 0 ? t("knowledge.held") : "");
    if (waitMs > 0) timer = setTimeout(settle, waitMs);
    else draw();
  }

  function isBeingRead() {
    return shown !== null && (element.matches(":hover") || element.contains(document.activeElement));
  }

  function draw() {
    const { card, mark: done, isBest, emptyText } = wanted;
    shown = card;
    drawnCallId = wanted.callId;
    setAttribute(element, "data-state", card === null ? "empty" : done.isDismissed ? "dismissed" : "card");
    setText(empty, emptyText);
    setText(title, card?.title ?? "");
    setText(excerpt, card?.excerpt ?? "");
    setText(origin, card ? [card.department, card.source].filter(Boolean).join(" · ") : "");
    setAttribute(origin, "title", card ? origin.textContent : null);
    fresh.hidden = !card?.is_new;
    setAttribute(number, "data-best", isBest ? "true" : null);
    setAttribute(number, "title", isBest ? t("card.best") : null);
    setAttribute(helpful, "aria-pressed", String(done.verdict === MARK.HELPFUL));
    setAttribute(wrong, "aria-pressed", String(done.verdict === MARK.WRONG));
    setAttribute(pin, "aria-pressed", String(Boolean(done.isPinned)));
    relabel(pin, done.isPinned ? "card.unpin" : "card.pin");
    relabel(dismiss, done.isDismissed ? "card.restore" : "card.dismiss");
  }

  function relabel(button, key) {
    setText(button, t(key));
    setAttribute(button, "aria-label", t(key));
  }

  function mark(what) {
    return actions.onMark(shown, what);
  }

  function pinOrUnpin() {
    return mark(wanted.mark.isPinned ? MARK.UNPINNED : MARK.PINNED);
  }

  function dismissOrRestore() {
    return mark(wanted.mark.isDismissed ? MARK.RESTORED : MARK.DISMISSED);
  }

  async function copy() {
    const isCopied = await copyText(shown.excerpt);
    flash(copyButton, t(isCopied ? "card.copied" : "card.copyFailed"), t("card.copy"));
    if (isCopied) mark(MARK.COPIED);
  }

  return {
    element,
    title,
    update,
    card: () => shown,
    isDismissed: () => Boolean(wanted.mark.isDismissed),
    setCurrent: (isCurrent) => setAttribute(element, "data-current", isCurrent ? "true" : null),
    act: {
      copy,
      pin: pinOrUnpin,
      dismiss: dismissOrRestore,
      helpful: () => mark(MARK.HELPFUL),
      wrong: () => mark(MARK.WRONG),
    },
  };
}

/** Say on the button itself what came of it; nothing else moves. */
export function flash(button, said, usual) {
  setText(button, said);
  setAttribute(button, "data-said", "true");
  setTimeout(() => {
    setText(button, usual);
    setAttribute(button, "data-said", null);
  }, COPIED_SHOWN_MS);
}
