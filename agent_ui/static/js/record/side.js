// What stands beside the text of a call: the call itself, its wrap-up, cards, notes, how it is kept.
//
// In: a record. Out: sections. Not known here: the transcript, the server, what may be done.

import { h } from "../dom.js";
import { duration } from "../format.js";
import { moment } from "../parts.js";
import { cardsOf, size, wrapupOf } from "./record.js";

const section = (title, ...content) => h("section", { class: "call-part" }, h("h3", {}, title), ...content);
const row = (label, text) => h("div", {}, h("dt", {}, label), h("dd", {}, text));
const hint = (text) => h("p", { class: "sys-hint" }, text);

/** @returns {Array<Element>} */
export function sideOf(record, t) {
  const { call, transfers, notes } = record.snapshot;
  const wrapup = wrapupOf(record);
  return [
    section(
      t("side.call"),
      h(
        "dl",
        { class: "call-rows" },
        row(t("side.caller"), call.caller ?? t("call.noCaller")),
        row(t("side.began"), moment(call.started_at, t, { withSeconds: true })),
        row(t("side.long"), duration(call.seconds, t.language)),
        row(t("side.seat"), call.operator_id ?? "—"),
        ...(call.dialled ? [row(t("side.dialled"), call.dialled)] : []),
        ...(call.end_reason ? [row(t("side.end"), t(`end.${call.end_reason}`))] : []),
        ...transfers.map((one) => row(t("side.transfer"), transferText(one, t))),
      ),
    ),
    ...(wrapup.length > 0
      ? [section(t("side.wrapup"), h("dl", { class: "call-rows" }, ...wrapup.map(({ name, text }) => row(t(`wrap.${name}`), text))))]
      : []),
    section(t("side.cards"), cards(record, t)),
    section(t("side.notes"), ...(notes.length > 0 ? notes.map((note) => noteElement(note, t)) : [hint(t("side.notes.none"))])),
  ];
}

function transferText({ from_operator: from, to_operator: to, message }, t) {
  const said = t("side.transferred", { from: from ?? "—", to });
  return message ? `${said}：${message}` : said;
}

function cards(record, t) {
  const all = cardsOf(record);
  if (all.length === 0) return hint(t("side.cards.none"));
  const items = all.map(({ title, department, marks }) =>
    h(
      "li",
      {},
      h("span", {}, title),
      h("small", {}, [department, ...marks.map((mark) => t(`mark.${mark}`))].filter(Boolean).join(" · ")),
    ),
  );
  return h("ol", { class: "call-cards" }, ...items);
}

function noteElement({ text, by, at }, t) {
  return h("div", { class: "call-note" }, h("p", {}, text), hint([by, moment(at, t)].filter(Boolean).join(" · ")));
}

/** How the call is kept, in lines. */
export function keepingOf({ sound, hold }, t) {
  const lines = [];
  if (sound === null) lines.push(hint(t("record.noSound")));
  else if (sound.code !== null) lines.push(h("p", { class: "call-bad", role: "alert" }, t("error.said", { message: sound.message, code: sound.code })));
  else {
    const told = t("keep.sound", { size: size(sound.n_bytes), form: t(`keep.form.${sound.codec}`) });
    lines.push(hint(`${told}，${t(sound.is_sealed ? "keep.sealed" : "keep.open")}`));
  }
  if (hold !== null) {
    const until = hold.until === null ? "" : ` ${t("keep.until", { when: moment(hold.until, t) })}`;
    lines.push(
      h(
        "p",
        { class: hold.is_over ? "sys-hint" : "call-held" },
        h("b", {}, t(hold.is_over ? "keep.over" : "keep.held")),
        ` ${t("keep.heldBy", { who: hold.who, when: moment(hold.at, t), reason: hold.reason })}${until}`,
      ),
    );
  }
  return lines;
}
