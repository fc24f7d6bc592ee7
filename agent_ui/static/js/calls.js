// The left column: the calls, and what is known of the one being shown.
//
// In: the list's state and the shown call. Out: a column, and calls of `actions`.

import { h, keyedRows, searchField, setAttribute, setText } from "./dom.js";
import { clockTime, maskedNumber, timer } from "./format.js";
import { elapsedS } from "./reduce.js";

const META_SHOWN = 6;
const LAG_WORTH_SAYING_S = 3;
const WHY_EMPTY = { "access.no_seat": "calls.noSeat" };

/** Calls in that state, of seats that begin with those characters; empty: any. */
export function filtered(calls, { state, seat }) {
  const isWanted = (call) => (call.operator_id ?? "").startsWith(seat) && (state === "" || call.state === state);
  return state === "" && seat === "" ? calls : calls.filter(isWanted);
}

/** @param {{onPick: (callId: string) => void, onFollow: () => void}} actions
 * @param {Record<string, Element>} parts what else of the shown call stands in this column */
export function mountCalls(t, actions, parts) {
  const follow = h(
    "button",
    { type: "button", title: t("calls.follow.tip"), "aria-pressed": "false", onclick: actions.onFollow },
    t("calls.follow"),
  );
  const list = h("ol", { class: "calls", "aria-label": t("calls.title") });
  const empty = h("div", { class: "placeholder" }, h("p", { class: "placeholder-title" }), h("p"));
  const states = ["live", "lost", "interrupted", "ended"];
  const state = h(
    "select",
    { "aria-label": t("filter.state"), onchange: redraw },
    h("option", { value: "" }, t("filter.all")),
    ...states.map((name) => h("option", { value: name }, t(`state.${name}`))),
  );
  const seat = searchField({
    placeholder: t("filter.seat"),
    "aria-label": t("filter.seat"),
    maxlength: "64",
    oninput: redraw,
  });
  const nothing = h(
    "div",
    { class: "placeholder", hidden: true },
    h("p", { class: "placeholder-title" }, t("filter.none")),
    h("p", {}, t("filter.none.how")),
  );
  const skeleton = h("div", { class: "calls-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const scroll = h("div", { class: "calls-scroll" }, list, empty, nothing, skeleton);
  const info = mountInfo(t);
  const element = h(
    "section",
    { class: "column column-calls", "aria-label": t("calls.title") },
    h("div", { class: "column-head" }, h("h2", {}, t("calls.title")), follow),
    h("div", { class: "calls-filter" }, state, seat),
    scroll,
    parts.brief,
    parts.transfer,
    h("div", { class: "calls-about", tabindex: "0", role: "group", "aria-label": t("info.title") }, parts.crm, parts.earlier, info.element),
    parts.notes,
  );

  let pointedOut = null;
  const showRows = keyedRows(list, {
    key: (call) => call.call_id,
    create: (call) => createRow(call.call_id, actions.onPick),
    update: (row, call) => updateRow(row, call, t),
  });

  let drawn = null;

  function redraw() {
    if (drawn !== null) update(drawn);
  }

  function update(desk) {
    drawn = desk;
    const { list: all, listError, state: shown, choice, serverMs } = desk;
    const { isLoaded } = all;
    const calls = filtered(all.calls, { state: state.value, seat: seat.value.trim() });
    showRows(calls);
    for (const call of calls) tick(call, serverMs);
    pointOut(shown.call?.call_id ?? null);
    sayWhyEmpty(listError);
    empty.hidden = !(isLoaded || listError) || all.calls.length > 0;
    nothing.hidden = all.calls.length === 0 || calls.length > 0;
    skeleton.hidden = isLoaded || Boolean(listError);
    setAttribute(scroll, "tabindex", calls.length ? null : "0"); // what it says may be longer than its place
    setAttribute(follow, "aria-pressed", String(choice.kind !== "call"));
    info.update(shown.call, serverMs);
  }

  function sayWhyEmpty(error) {
    const key = error ? (WHY_EMPTY[error.code] ?? "calls.refused") : "calls.empty";
    setText(empty.firstChild, t(key));
    setText(empty.lastChild, t(`${key}.how`, { code: error?.code }));
  }

  /** Mark the shown call; bring it into view once, when it becomes the shown one. */
  function pointOut(callId) {
    const row = callId === null ? null : rowOf(callId);
    if (row === pointedOut) return;
    if (pointedOut !== null) setAttribute(pointedOut.firstChild, "aria-current", null);
    pointedOut = row;
    if (row === null) return;
    setAttribute(row.firstChild, "aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
  }

  function rowOf(callId) {
    return list.querySelector(`[data-call="${CSS.escape(callId)}"]`);
  }

  function tick(call, serverMs) {
    setText(rowOf(call.call_id).querySelector(".call-time"), timer(elapsedS(call, serverMs)));
  }

  return { element, update };
}

function createRow(callId, onPick) {
  return h(
    "li",
    { "data-call": callId },
    h(
      "button",
      { type: "button", class: "call", onclick: () => onPick(callId) },
      h("span", { class: "call-caller" }),
      h("span", { class: "call-time" }),
      h("span", { class: "call-state" }),
      h("span", { class: "call-begun" }),
    ),
  );
}

function updateRow(row, call, t) {
  const part = (name) => row.querySelector(`.call-${name}`);
  setAttribute(row, "data-state", call.state);
  setText(part("caller"), call.caller ? maskedNumber(call.caller) : t("caller.unknown"));
  const seat = call.operator_id ? ` · ${t("calls.seat", { id: call.operator_id })}` : "";
  const isLate = call.lagS > LAG_WORTH_SAYING_S;
  const late = isLate ? ` · ${t("calls.lag", { seconds: Math.round(call.lagS) })}` : "";
  setText(part("state"), t(`state.${call.state}`) + seat + late);
  setAttribute(row, "data-late", isLate ? "true" : null);
  setText(part("begun"), clockTime(Date.parse(call.started_at)));
}

function mountInfo(t) {
  const rows = h("dl", { class: "info" });
  const element = h(
    "section",
    { class: "call-info", "aria-label": t("info.title") },
    h("h2", {}, t("info.title")),
    rows,
  );
  const show = keyedRows(rows, {
    key: (fact) => fact.name,
    create: (fact) => h("div", {}, h("dt", {}, fact.name), h("dd")),
    update: (row, fact) => setText(row.lastChild, fact.value),
  });

  function update(call, serverMs) {
    const fact = (key, value) => ({ name: t(`info.${key}`), value: value ?? t("info.none") });
    const facts = [
      fact("started", call && clockTime(Date.parse(call.started_at))),
      fact("operator", call?.operator_id),
      fact("dialled", call?.dialled),
      fact("caller", call?.caller && maskedNumber(call.caller)),
      fact("duration", call && timer(elapsedS(call, serverMs))),
      fact("end", call?.end_reason && t(`end.${call.end_reason}`)),
      ...(call ? metaFacts(call.meta) : []),
    ];
    show(facts);
  }

  return { element, update };
}

/** What the telephone system sent along, as far as it can be read in one line. */
function metaFacts(meta) {
  return Object.entries(meta)
    .filter(([, value]) => typeof value === "string" || typeof value === "number")
    .slice(0, META_SHOWN)
    .map(([name, value]) => ({ name, value: String(value) }));
}
