// What has been noted of the call so far: a short list beside the calls that grows and never changes its size.
//
// In: the state of a call. Out: a section of the left column, and a call of `onOpen`.
// Not known here: how a field is changed; the form does that.

import { h, setAttribute, setText } from "../dom.js";
import { keyOf } from "../keys.js";
import { CALL_STATE } from "../protocol.js";
import { fieldOf, markOf, openFields } from "./marks.js";

/** What stands in each row, by field. */
const ROWS = Object.freeze([
  ["kind", ["kind", "urgency"]],
  ["caller_name", ["caller_name"]],
  ["caller_phone", ["caller_phone"]],
  ["address", ["district", "place"]],
  ["department", ["department"]],
  ["summary", ["summary"]],
]);
const SIGNS = { set: "✓", unsure: "?", line: "·", sure: "·", none: "" };
/** The mark that a row of several fields has: the one that most needs a look. */
const FIRST = ["unsure", "set", "line", "sure", "none"];

/** @param {{onOpen: () => void}} actions */
export function mountBrief(t, { onOpen }) {
  const count = h("span", { class: "brief-count", role: "status" });
  const open = h(
    "button",
    { type: "button", class: "brief-open", title: `${t("form.open.tip")} (${keyOf("form")})`, onclick: onOpen },
    h("span", {}, t("form.open")),
    h("kbd", { "aria-hidden": "true" }, keyOf("form")),
  );
  const rows = ROWS.map(([label, names]) => {
    const sign = h("span", { class: "brief-sign" });
    const value = h("span", { class: "brief-value" });
    const element = h("div", { "data-row": label }, h("dt", {}, t(`form.${label}`)), h("dd", {}, sign, value));
    return { names, sign, value, element };
  });
  const list = h("dl", {}, ...rows.map((row) => row.element));
  const idle = h("p", { class: "brief-idle" }, t("form.brief.idle"));
  const element = h(
    "section",
    { class: "brief", "aria-label": t("form.brief") },
    h("div", { class: "brief-head" }, h("h2", {}, t("form.brief")), count, open),
    list,
    idle,
  );
  let drawn = {};

  function update({ call, workOrder }) {
    const isOver = call?.state === CALL_STATE.ENDED;
    if (drawn.call === call && drawn.workOrder === workOrder) return;
    drawn = { call, workOrder };
    list.hidden = call === null;
    idle.hidden = call !== null;
    open.disabled = call === null;
    const isOffered = isOver && !workOrder?.order;
    setAttribute(element, "data-offer", isOffered ? "true" : null);
    setText(open.firstChild, t(workOrder?.order ? "form.made" : "form.open"));
    setAttribute(open, "aria-label", isOffered ? t("form.open.ended") : t("form.open.tip"));
    const left = workOrder ? openFields(workOrder).length : 0;
    setText(count, workOrder && !workOrder.order && left > 0 ? t("form.brief.count", { count: left }) : "");
    for (const row of rows) drawRow(row, workOrder, t);
  }

  return { element, update };
}

function drawRow({ names, sign, value, element }, workOrder, t) {
  const marks = names.map((name) => markOf(workOrder, name));
  const mark = FIRST.find((one) => marks.includes(one));
  const said = names.map((name) => shown(name, fieldOf(workOrder, name).value, t)).filter(Boolean);
  const isAddress = names.includes("place");
  setText(value, said.length > 0 ? said.join(isAddress ? "" : " · ") : t("mark.none"));
  setAttribute(value, "title", said.length > 0 ? value.textContent : null);
  setText(sign, SIGNS[mark]);
  setAttribute(sign, "title", t(`mark.${mark}`));
  setAttribute(element, "data-mark", mark);
}

function shown(name, value, t) {
  return value !== "" && t.knows(`${name}.${value}`) ? t(`${name}.${value}`) : value;
}
