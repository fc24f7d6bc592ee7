// The form of a call, in the room of the cards: looked through, put right, made into an order.
//
// In: the state of the shown call. Out: a panel; requests; calls of `actions` for lines to be shown and heard.
// The focus is offered by a key and never taken. Not known here: the socket, the transcript's rows.

import { ApiError, getJson } from "../api.js";
import { h, isLocked, lock, setAttribute, setText } from "../dom.js";
import { focusOn } from "../focus.js";
import { CALL_STATE } from "../protocol.js";
import { mountFields } from "./fields.js";
import { readWords } from "./lists.js";
import { fieldOf, isOpen, nextOpen, openFields, wishOf } from "./marks.js";
import { openSaving } from "./saving.js";

/** After the end of a call its draft takes a second or two; after so long nobody should wait for it. */
const LATE_MS = 15_000;

/** @param {{onBack: () => void, onPoint: (spans, isToScroll: boolean) => boolean, onHear: (spans) => void}} actions
 *   `onPoint` is false where the first line is not at hand */
export function mountForm(t, actions) {
  const fields = mountFields(t, { onSet: set, onEnter: confirm, onSource: source, onSay: say });
  const lists = { districts: h("datalist", { id: "form-districts" }), categories: h("datalist", { id: "form-categories" }) };
  const back = h("button", { type: "button", title: `${t("article.back")} (Esc)`, onclick: actions.onBack }, `← ${t("article.back")}`);
  const state = h("span", { class: "form-state" });
  const undo = h("button", { type: "button", title: t("form.undo.tip"), onclick: takeBack }, t("form.undo"));
  const next = h("button", { type: "button", title: t("form.next.tip"), onclick: () => toNext() }, t("form.next"));
  const knowledge = h("ol", { class: "form-knowledge" });
  const make = h("button", { type: "button", class: "primary", title: t("form.make.tip"), onclick: makeOrder }, t("form.make"));
  const said = h("p", { class: "form-said", role: "status" });
  const order = h("a", { class: "form-order", hidden: true, target: "_blank", title: t("form.order.tip") });
  const empty = h("div", { class: "placeholder" }, h("p", { class: "placeholder-title" }, t("form.empty")), h("p", {}, t("form.empty.how")));
  const body = h(
    "div",
    { class: "form-body", tabindex: "-1" },
    ...fields.elements,
    h("div", { class: "form-row form-last" }, h("div", { class: "form-label" }, t("form.knowledge")), knowledge),
  );
  const foot = h("div", { class: "form-foot" }, said, order, make);
  const element = h(
    "section",
    { class: "form", hidden: true, "aria-label": t("form.title") },
    h("div", { class: "article-bar" }, back, h("h3", {}, t("form.title")), state, undo, next),
    body,
    foot,
    empty,
    lists.districts,
    lists.categories,
  );

  let callId = null;
  let isLive = false;
  let isLate = false;
  let workOrder = null;
  let streamed = null;
  let orderState = null;
  let saving = null;
  /** What was set and is not answered yet, or not saved; and which of that failed. */
  let pending = {};
  let failed = new Set();
  let undone = [];
  let pointed = null;
  let hasWords = false;

  element.addEventListener("keydown", onKey);
  body.addEventListener("focusin", ({ target }) => {
    const name = nameAt(target);
    if (name !== null && !target.closest(".form-source")) point(name, !isLive);
  });

  function update({ state: desk, serverMs }) {
    const call = desk.call;
    if ((call?.call_id ?? null) !== callId) begin(call);
    const wasLive = isLive;
    isLive = call !== null && call.state !== CALL_STATE.ENDED;
    const wasLate = isLate;
    isLate = call !== null && !isLive && serverMs - Date.parse(call.ended_at) > LATE_MS;
    if (streamed === desk.workOrder && wasLive === isLive && wasLate === isLate) return;
    streamed = desk.workOrder;
    if (streamed) take(streamed);
    draw();
  }

  function begin(call) {
    save();
    callId = call?.call_id ?? null;
    workOrder = streamed = orderState = pointed = null;
    [pending, failed, undone] = [{}, new Set(), []];
    const id = callId;
    saving =
      id === null
        ? null
        : openSaving(id, {
            onDone: (told) => id === callId && saved(told),
            onFailed: (names, error) => id === callId && notSaved(names, error),
          });
    say("");
    draw();
  }

  /** A wrap-up that was told; one with an older version is behind what we know. */
  function take(told) {
    if (workOrder !== null && told.version < workOrder.version) return;
    const hadOrder = workOrder?.order?.order_id;
    workOrder = told;
    saving?.see(told.version);
    if (told.order && told.order.order_id !== hadOrder) askState(told.order);
  }

  async function askState({ order_id: id, state: was }) {
    orderState = was;
    try {
      const found = await getJson(`v1/orders/${encodeURIComponent(id)}`);
      if (workOrder?.order?.order_id === id) orderState = found.state;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // as it was told will do
    }
    draw();
  }

  // ---- setting fields ------------------------------------------------------------------------------------

  function set(name, value) {
    if (saving === null || (failed.has(name) && pending[name] === value)) return;
    undone = [...undone, { [name]: wishOf(workOrder, name) }].slice(-50);
    send(name, value);
  }

  function send(name, value) {
    pending = { ...pending, [name]: name === "department" ? undefined : value };
    failed.delete(name);
    say(t("form.saving"));
    void saving.set({ [name]: value });
    draw();
  }

  function saved(told) {
    take(told);
    if (!saving.isBusy()) say(t("form.saved"));
    pending = Object.fromEntries(Object.entries(pending).filter(([name]) => failed.has(name)));
    draw();
  }

  function notSaved(names, error) {
    if (error.detail.current) take(error.detail.current);
    for (const name of names) {
      if (pending[name] !== undefined) failed.add(name);
    }
    if (error.code === "wrapup.closed") orderState = "dispatched";
    say(reasonOf(error, "form.failed"), true);
    draw();
  }

  function reasonOf(error, key) {
    if (error.status === 0) return t("form.failed.offline");
    return t(key, { message: error.detail.message ?? error.code, code: error.code });
  }

  /** Somebody says that a field is right as it stands; on to the next one. */
  function confirm(name) {
    const { control } = fields.rows.get(name);
    const value = control.typed() ?? pending[name] ?? fieldOf(workOrder, name).value;
    const isKnown = fieldOf(workOrder, name).set_by !== null && !failed.has(name) && control.typed() === null;
    if (!isKnown && value !== "" && !isClosed()) {
      if (failed.has(name)) send(name, value);
      else set(name, name === "department" ? (workOrder?.department_id ?? "") : value);
    }
    toNext(name);
  }

  function takeBack() {
    const last = undone.at(-1);
    if (last === undefined || saving === null) return;
    undone = undone.slice(0, -1);
    for (const name of Object.keys(last)) {
      const { [name]: _, ...others } = pending;
      pending = others;
      failed.delete(name);
      fields.rows.get(name).control.reset();
    }
    void saving.set(last).then(() => failed.size === 0 && say(t("form.undone")));
    draw();
  }

  async function makeOrder() {
    if (saving === null || isLocked(make) || workOrder?.order) return;
    save();
    lock(make, true);
    say(t("form.making"));
    const id = callId;
    try {
      const made = await saving.make();
      if (id !== callId) return;
      orderState = made.state;
      say("");
      if (document.activeElement === make) focusOn(body); // the button goes
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (id !== callId) return;
      say(reasonOf(error, "form.make.failed"), true);
      const missing = { "wrapup.kind_needed": "kind", "wrapup.summary_needed": "summary" }[error.code];
      if (missing) fields.rows.get(missing).focus();
    } finally {
      lock(make, false);
      draw();
    }
  }

  /** What is typed and not saved yet belongs to the call that is shown. */
  function save() {
    for (const { control } of fields.rows.values()) {
      if (control.typed() !== null && control.element === document.activeElement) control.element.blur();
    }
  }

  // ---- where it was said ---------------------------------------------------------------------------------

  function point(name, isToScroll) {
    pointed = name;
    const { spans } = fieldOf(workOrder, name);
    if (!actions.onPoint(spans, isToScroll && spans.length > 0)) say(t("form.source.gone"));
  }

  /** Show where a field comes from; once more, hear it. */
  function source(name) {
    if (pointed === name) actions.onHear(fieldOf(workOrder, name).spans);
    else point(name, true);
  }

  function hear() {
    const name = nameAt(document.activeElement) ?? pointed;
    if (name === null || fieldOf(workOrder, name).spans.length === 0) return;
    point(name, true);
    actions.onHear(fieldOf(workOrder, name).spans);
  }

  // ---- keys ----------------------------------------------------------------------------------------------

  function onKey(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const isInText = event.target.matches("input, textarea");
    if (!act(event, isInText)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  function act({ key, ctrlKey, metaKey, altKey }, isInText) {
    if (key === "Enter" && (ctrlKey || metaKey)) return (void makeOrder(), true);
    if (ctrlKey || metaKey || altKey) return false;
    if (key === "F8") return (toNext(), true);
    if (key === "F9") return (hear(), true);
    if (key === "Escape" && isInText) return (body.focus({ preventScroll: true }), true);
    if (isInText) return false;
    if (key.toLowerCase() === "u") return (takeBack(), true);
    const chosen = fields.chosenBy(key);
    if (chosen === null || isClosed()) return false;
    fields.rows.get(chosen.name).control.choose(chosen.value);
    return true;
  }

  function nameAt(target) {
    return target?.closest?.(".form-row")?.dataset.field ?? null;
  }

  /** On to the next field that needs a look; to the button where there is none. */
  function toNext(from = nameAt(document.activeElement)) {
    const name = nextOpen(workOrder, from);
    if (name !== null) {
      fields.rows.get(name).focus();
      fields.rows.get(name).element.scrollIntoView({ block: "nearest" });
    } else focusOn(make.hidden ? body : make);
  }

  // ---- drawing -------------------------------------------------------------------------------------------

  function isClosed() {
    return callId === null || !isOpen(workOrder?.order ? orderState : null);
  }

  function draw() {
    empty.hidden = callId !== null;
    body.hidden = foot.hidden = callId === null;
    for (const [name, row] of fields.rows) {
      row.update(workOrder, { pending: pending[name], hasFailed: failed.has(name), isClosed: isClosed() });
    }
    setText(state, callId === null ? "" : stateOf());
    lock(undo, undone.length === 0 || isClosed());
    lock(next, workOrder === null || openFields(workOrder).length === 0);
    drawKnowledge(workOrder?.knowledge ?? []);
    const made = workOrder?.order ?? null;
    make.hidden = made !== null;
    order.hidden = made === null;
    const word = made && t.knows(`order.${orderState}`) ? t(`order.${orderState}`) : "";
    setAttribute(order, "href", made && `orders#/${encodeURIComponent(made.order_id)}`);
    if (made) setText(order, [t("form.order", { id: made.order_id }), word].filter(Boolean).join(" · "));
    if (made && isClosed()) say(t("form.order.closed"));
  }

  function stateOf() {
    if (workOrder === null || workOrder.engine === "") return t(isLive ? "form.state.live" : "form.state.hand");
    const open = openFields(workOrder).length;
    if (isLive) return t("form.state.live");
    if (!workOrder.is_final) return t(isLate ? "form.state.broken" : "form.state.drafting");
    return open > 0 ? t("form.open.count", { count: open }) : t("form.open.none");
  }

  function drawKnowledge(sources) {
    const rows = sources.map(({ title, is_used: isUsed }) =>
      h("li", { title }, title, isUsed ? h("span", {}, ` · ${t("form.knowledge.used")}`) : ""),
    );
    knowledge.replaceChildren(...(rows.length > 0 ? rows : [h("li", { class: "form-none" }, t("form.knowledge.none"))]));
  }

  function say(text, isBad = false) {
    setText(said, text || t("form.hints"));
    setAttribute(said, "data-bad", isBad ? "true" : null);
  }

  /** The form comes to the front: the focus goes to what needs a look first. */
  function focus() {
    if (callId === null) return focusOn(back);
    void offerWords();
    const name = nextOpen(workOrder, null);
    if (name !== null) fields.rows.get(name).focus();
    else focusOn(make.hidden ? body : make);
  }

  async function offerWords() {
    if (hasWords) return;
    hasWords = true;
    const words = await readWords();
    for (const [name, list] of Object.entries(lists)) {
      list.replaceChildren(...words[name].map((value) => h("option", { value })));
    }
  }

  function left() {
    actions.onPoint([], false);
    pointed = null;
  }

  draw();
  return { element, update, focus, left, save, anchor: () => body };
}
