// The left column: the calls, and what is known of the one being shown.
//
// In: the list's state and the shown call. Out: a column, and calls of `actions`.

import { h, keyedRows, setAttribute, setText } from "./dom.js";
import { clockTime, maskedNumber, timer } from "./format.js";
import { elapsedS } from "./reduce.js";

const META_SHOWN = 6;

/** @param {{onPick: (callId: string) => void, onFollow: () => void}} actions */
export function mountCalls(t, actions) {
  const follow = h(
    "button",
    { type: "button", title: t("calls.follow.tip"), "aria-pressed": "false", onclick: actions.onFollow },
    t("calls.follow"),
  );
  const list = h("ol", { class: "calls", "aria-label": t("calls.title") });
  const empty = h(
    "div",
    { class: "placeholder" },
    h("p", { class: "placeholder-title" }, t("calls.empty")),
    h("p", {}, t("calls.empty.how")),
  );
  const skeleton = h("div", { class: "calls-skeleton", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const info = mountInfo(t);
  const element = h(
    "section",
    { class: "column column-calls", "aria-label": t("calls.title") },
    h("div", { class: "column-head" }, h("h2", {}, t("calls.title")), follow),
    h("div", { class: "calls-scroll" }, list, empty, skeleton),
    info.element,
  );

  let pointedOut = null;
  const showRows = keyedRows(list, {
    key: (call) => call.call_id,
    create: (call) => createRow(call.call_id, actions.onPick),
    update: (row, call) => updateRow(row, call, t),
  });

  function update({ list: { calls, isLoaded }, state, choice, serverMs, needsToken }) {
    showRows(calls);
    for (const call of calls) tick(call, serverMs);
    pointOut(state.call?.call_id ?? null);
    empty.hidden = !isLoaded || calls.length > 0;
    skeleton.hidden = isLoaded || needsToken;
    setAttribute(follow, "aria-pressed", String(choice.kind !== "call"));
    info.update(state.call, serverMs);
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
  setText(part("state"), t(`state.${call.state}`) + seat);
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
      fact("caller", call?.caller && maskedNumber(call.caller)),
      fact("started", call && clockTime(Date.parse(call.started_at))),
      fact("duration", call && timer(elapsedS(call, serverMs))),
      fact("operator", call?.operator_id),
      fact("dialled", call?.dialled),
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
