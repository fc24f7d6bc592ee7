// The calls of the moment: who sits there, how long, what was last said.
//
// In: the list's state, the time. Out: a table that is read, with a link to each call. Not known here: sockets.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { maskedNumber, timer } from "../format.js";
import { emptiness, skeleton } from "../parts.js";
import { CALL_STATE } from "../protocol.js";
import { elapsedS } from "../reduce.js";

const LAG_WORTH_SAYING_S = 3;
const COLUMNS = ["seat", "caller", "time", "state", "line"];

/** Calls that are not over, by seat, so that a seat keeps its place. */
export function currentCalls(calls) {
  const seat = (call) => call.operator_id ?? "~";
  return calls
    .filter((call) => call.state !== CALL_STATE.ENDED)
    .sort((a, b) => seat(a).localeCompare(seat(b)) || a.started_at.localeCompare(b.started_at));
}

export function mountCurrent(t) {
  const body = h("tbody");
  const count = h("span", { class: "live-count" });
  const head = COLUMNS.map((name) => h("th", { scope: "col", class: `col-${name}` }, t(`live.${name}`)));
  const table = h(
    "table",
    { class: "sys-table live-table", "aria-label": t("live.title") },
    h("thead", {}, h("tr", {}, ...head)),
    body,
  );
  const none = emptiness(t("live.none"), t("live.none.how"));
  const waiting = skeleton(4);
  const element = h(
    "section",
    { class: "live", "aria-label": t("live.title") },
    h("div", { class: "alarms-head" }, h("h2", {}, t("live.title")), count),
    h("div", { class: "sys-scroll" }, table, none, waiting),
  );
  const show = keyedRows(body, {
    key: ({ call }) => call.call_id,
    create: ({ call }) => createRow(call, t),
    update: updateRow,
  });

  function updateRow(row, { call, line, alarms }) {
    const part = (name) => row.querySelector(`.live-${name}`);
    setText(part("seat"), call.operator_id ?? "—");
    setText(part("caller"), call.caller ? maskedNumber(call.caller) : t("caller.unknown"));
    const isLate = call.lagS > LAG_WORTH_SAYING_S;
    setText(part("state"), t(`state.${call.state}`));
    setText(part("lag"), isLate ? t("live.lag", { seconds: Math.round(call.lagS) }) : "");
    setText(part("alarm"), alarms > 0 ? t("live.alarm") : "");
    setAttribute(row, "data-state", call.state);
    setText(part("party"), line ? t(`party.${line.party}`) : "");
    setText(part("text"), line?.text ?? "");
    setAttribute(part("text"), "title", line?.text ?? "");
  }

  function update(list, { serverMs }) {
    const calls = currentCalls(list.calls);
    show(
      calls.map((call) => ({
        call,
        line: list.lines[call.call_id] ?? null,
        alarms: list.alarms.filter((alarm) => alarm.call_id === call.call_id).length,
      })),
    );
    for (const call of calls) {
      const row = body.querySelector(`[data-call="${CSS.escape(call.call_id)}"]`);
      setText(row.querySelector(".live-time"), timer(elapsedS(call, serverMs)));
    }
    table.hidden = calls.length === 0;
    none.hidden = !list.isLoaded || calls.length > 0;
    waiting.hidden = list.isLoaded;
    setText(count, calls.length > 0 ? t("live.count", { count: calls.length }) : "");
  }

  return { element, update };
}

function createRow(call, t) {
  const address = `./?${new URLSearchParams({ call: call.call_id })}`;
  return h(
    "tr",
    { "data-call": call.call_id },
    h(
      "td",
      { class: "col-seat" },
      h("a", { class: "live-seat", href: address, target: "_blank", title: t("live.open.tip") }),
    ),
    h("td", { class: "col-caller" }, h("span", { class: "live-caller" })),
    h("td", { class: "col-time" }, h("span", { class: "live-time" })),
    h(
      "td",
      { class: "col-state" },
      h("span", { class: "live-state" }),
      h("small", { class: "live-lag" }),
      h("strong", { class: "live-alarm" }),
    ),
    h("td", { class: "col-line" }, h("span", { class: "live-party" }), h("span", { class: "live-text" })),
  );
}
