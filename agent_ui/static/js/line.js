// One line of the transcript: who, when, what, what was changed, and what in it can be copied.
//
// In: a segment and what people changed in it. Out: a row that is brought up to date in place, or typed in.
// Not known here: the list around it, sockets. Listening to clicks is the list's business.

import { h, setAttribute, setText } from "./dom.js";
import { clockTime } from "./format.js";
import { cutLine } from "./tokens.js";

const LONGEST = 2000;

export function createLine(segment, t) {
  return h(
    "li",
    { class: "line-row", "data-party": segment.party, "data-segment": segment.segment_id, tabindex: "-1" },
    h(
      "div",
      { class: "line-meta" },
      h("button", { type: "button", class: "line-time", tabindex: "-1", title: t("line.play") }, h("time")),
      h("span", { class: "line-who" }),
      h("span", { class: "line-hearing" }),
      h("button", { type: "button", class: "line-restore", tabindex: "-1", hidden: true }, t("line.restore")),
    ),
    h("p", { class: "line-text" }),
  );
}

/** @param {{startedMs: number, edit: object|undefined}} more */
export function updateLine(row, segment, { startedMs, edit }, t) {
  row.segment = segment;
  const [play, who, hearing, restore] = row.firstChild.children;
  setText(play.firstChild, clockTime(startedMs + segment.start_s * 1000));
  play.setAttribute("aria-label", `${t("line.play")} ${play.textContent}`);
  setText(who, t(`party.${segment.party}`));
  setAttribute(row, "data-unclear", String(segment.is_unclear));
  setAttribute(row, "data-final", String(segment.is_final));
  setAttribute(row, "data-removed", segment.isRemoved ? "true" : null);
  restore.hidden = edit === undefined;
  if (row.dataset.editing) return; // what is being typed is the typist's
  setText(hearing, saidOf(segment, edit, t));
  setAttribute(hearing, "title", edit ? editedBy(edit, t) : null);
  drawText(row.lastChild, segment, t);
}

function saidOf(segment, edit, t) {
  if (!segment.is_final) return t("transcript.hearing");
  if (segment.isRemoved) return t("line.removed");
  if (edit) return edit.by ? `${t("line.edited")} · ${edit.by}` : t("line.edited");
  return segment.is_unclear ? t("transcript.unclear") : "";
}

function editedBy({ original, by, at }, t) {
  const heard = original.text;
  if (!by) return t("line.edited.tip", { heard });
  return t("line.edited.by", { who: by, time: clockTime(Date.parse(at)), heard });
}

function drawText(text, segment, t) {
  const cut = segment.is_final && !segment.isRemoved ? cutLine(segment.text, segment.corrections) : [];
  const isPlain = cut.every(({ token, parts }) => token === null && parts.every(({ heard }) => heard === null));
  if (isPlain) {
    if (text.childElementCount > 0 || text.textContent !== segment.text) text.replaceChildren(segment.text);
    return;
  }
  text.replaceChildren(
    ...cut.flatMap(({ token, parts }) => {
      const drawn = parts.map((part) => drawPart(part, t));
      return token === null ? drawn : [drawToken(token, drawn, t)];
    }),
  );
}

function drawPart({ text, heard, index }, t) {
  if (heard === null) return text;
  const title = t("transcript.heard", { heard });
  return h("span", { class: "corrected", role: "button", tabindex: "-1", "data-index": index, title }, text);
}

function drawToken({ kind, value }, drawn, t) {
  const title = t("line.copyToken", { value });
  const all = { class: "piece", role: "button", tabindex: "-1", "data-kind": kind, "data-value": value, title };
  return h("span", all, ...drawn);
}

/** Let the line be typed in where it stands. Enter hands the text to `save`, which says whether it went out.
 * @param {(text: string) => boolean} save */
export function editLine(row, t, { save, onDone }) {
  if (row.dataset.editing || !row.segment.is_final) return;
  const text = row.lastChild;
  const hearing = row.querySelector(".line-hearing");
  row.dataset.editing = "true";
  text.replaceChildren(row.segment.text);
  text.setAttribute("contenteditable", "plaintext-only");
  text.setAttribute("role", "textbox");
  text.setAttribute("aria-label", t("help.edit"));
  hearing.textContent = t("line.saving");
  text.addEventListener("keydown", onKey);
  text.addEventListener("input", onInput);
  text.focus();
  document.getSelection().selectAllChildren(text);
  document.getSelection().collapseToEnd();

  function onInput() {
    setText(hearing, text.textContent.trim() === "" ? t("line.removeHow") : t("line.saving"));
  }

  function onKey(event) {
    if (event.isComposing || event.keyCode === 229) return; // the input method is not done with the word
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter") tryToSave();
    else return;
    event.preventDefault();
  }

  function tryToSave() {
    const typed = text.textContent.replaceAll(/\s*\n\s*/g, " ").trim();
    if (typed === row.segment.text && !row.segment.isRemoved) close();
    else if (Array.from(typed).length > LONGEST) setText(hearing, t("line.tooLong"));
    else if (save(typed)) close();
    else setText(hearing, t("line.notSaved"));
  }

  function close() {
    text.removeEventListener("keydown", onKey);
    text.removeEventListener("input", onInput);
    for (const name of ["contenteditable", "role", "aria-label"]) text.removeAttribute(name);
    delete row.dataset.editing;
    onDone(row);
  }
}
