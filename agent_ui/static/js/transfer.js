// Handing the call to a colleague, with everything said so far; and taking it back.
//
// In: the call and who sits here. Out: a line in the left column that becomes a small form, and calls of `onTransfer`.
// Nothing lies over the call. Not known here: sockets.

import { h, setText } from "./dom.js";
import { keyOf } from "./keys.js";
import { CALL_STATE } from "./protocol.js";

/** @param {{onTransfer: (operatorId: string, message: string) => boolean}} actions */
export function mountTransfer(t, actions) {
  const seats = h("datalist", { id: "transfer-seats" });
  const seat = h("input", { name: "seat", list: "transfer-seats", required: true, maxlength: "64", autocomplete: "off", placeholder: t("transfer.seat"), "aria-label": t("transfer.seat") });
  const message = h("input", { name: "message", maxlength: "500", autocomplete: "off", placeholder: t("transfer.message"), "aria-label": t("transfer.message") });
  const said = h("span", { class: "transfer-said", role: "status" });
  const open = h("button", { type: "button", title: `${t("transfer.title")} (${keyOf("transfer")})`, onclick: () => toggle(true) }, t("transfer.open"));
  const takeBack = h("button", { type: "button", hidden: true, onclick: back }, t("transfer.back"));
  const form = h(
    "form",
    { class: "transfer-form", hidden: true, "aria-label": t("transfer.title") },
    seat,
    message,
    h("button", { type: "submit", class: "primary" }, t("transfer.send")),
    h("button", { type: "button", class: "quiet", onclick: () => toggle(false) }, t("transfer.cancel")),
    seats,
  );
  const line = h("div", { class: "transfer-line" }, said, takeBack, open);
  const element = h("section", { class: "transfer", "aria-label": t("transfer.open") }, line, form);
  let last = null;
  let callId = null;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (actions.onTransfer(seat.value.trim(), message.value.trim())) toggle(false);
    else setText(said, t("transfer.offline"));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    event.stopPropagation();
    toggle(false);
  });

  function toggle(isOpen) {
    if (isOpen && open.disabled) return false;
    form.hidden = !isOpen;
    line.hidden = isOpen;
    if (isOpen) {
      seat.value = message.value = "";
      seat.focus();
    } else open.focus();
    return true;
  }

  function back() {
    if (!actions.onTransfer(last.from_operator, "")) setText(said, t("transfer.offline"));
  }

  function update({ state, list, operatorId }) {
    const { call, transfers } = state;
    if ((call?.call_id ?? null) !== callId) {
      callId = call?.call_id ?? null;
      form.hidden = true;
      line.hidden = false;
    }
    last = transfers.at(-1) ?? null;
    const isOver = call === null || call.state === CALL_STATE.ENDED;
    const isGone = last !== null && (operatorId === null || operatorId === last.from_operator);
    const hadFocus = document.activeElement === open;
    open.disabled = isOver || (operatorId !== null && call.operator_id !== operatorId);
    takeBack.hidden = isOver || !isGone || !last.from_operator;
    if (hadFocus && open.disabled && !takeBack.hidden) takeBack.focus();
    setText(said, last === null ? "" : saidOf(last, isGone, t));
    said.title = said.textContent;
    const others = [...new Set(list.calls.map((one) => one.operator_id))].filter((id) => id && id !== call?.operator_id);
    if (others.join() === seats.dataset.ids) return;
    seats.dataset.ids = others.join();
    seats.replaceChildren(...others.sort().map((id) => h("option", { value: id })));
  }

  return { element, update, open: () => toggle(true) };
}

function saidOf({ from_operator: from, to_operator: to, message }, isGone, t) {
  if (isGone) return t("transfer.gone", { to });
  const who = from ?? t("transfer.nobody");
  return message ? t("transfer.came.message", { from: who, message }) : t("transfer.came", { from: who });
}
