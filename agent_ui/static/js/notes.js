// Notes about the call: written while talking or afterwards, saved by themselves.
//
// In: the call's notes. Out: a field, a list, and calls of `onNote`. What could not be sent yet stays in the
// field's draft and goes out when the line is back. Not known here: sockets.

import { h, keyedRows, setText } from "./dom.js";
import { focusOn } from "./focus.js";
import { clockTime } from "./format.js";
import { keyOf } from "./keys.js";

const PAUSE_MS = 1200;
const UNDO_MS = 8000;

/** @param {{onNote: (noteId: string, text: string) => boolean}} actions `onNote` is false where it could not be sent */
export function mountNotes(t, actions) {
  const field = h("textarea", {
    class: "note-field",
    rows: "2",
    maxlength: "2000",
    placeholder: t("notes.placeholder"),
    "aria-label": `${t("notes.new")} (${keyOf("newNote")})`,
    title: `${t("notes.new")} (${keyOf("newNote")})`,
  });
  const said = h("span", { class: "notes-said", role: "status" });
  const bringBack = h("button", { type: "button", class: "quiet", hidden: true, onclick: undo }, t("notes.undo"));
  const list = h("ol", { class: "notes-list" });
  const element = h(
    "section",
    { class: "notes", "aria-label": t("notes.title") },
    h("div", { class: "notes-head" }, h("h2", {}, t("notes.title")), said, bringBack),
    field,
    list,
  );
  let callId = null;
  let noteId = null;
  let sent = "";
  let timer = 0;
  let undoTimer = 0;
  let removed = null;

  const show = keyedRows(list, {
    key: (note) => note.note_id,
    create: (note) =>
      h(
        "li",
        {},
        h("button", { type: "button", class: "note", title: t("notes.edit"), onclick: () => takeUp(note.note_id) }, h("span", { class: "note-at" }), h("span", { class: "note-text" })),
        h("button", { type: "button", class: "quiet note-remove", title: t("notes.remove"), "aria-label": t("notes.remove"), onclick: () => remove(note.note_id) }, "×"),
      ),
    update: (row, note) => {
      const [at, text] = row.firstChild.children;
      setText(at, [clockTime(Date.parse(note.at)).slice(0, 5), note.by].filter(Boolean).join(" · "));
      setText(text, note.text);
    },
  });
  let notes = [];

  field.addEventListener("input", (event) => {
    setText(said, "");
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(save, PAUSE_MS);
  });
  field.addEventListener("compositionend", () => {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  });
  field.addEventListener("blur", save);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const isDone = event.key === "Enter" && !event.shiftKey;
    if (!isDone && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    save();
    if (isSaved()) begin();
    if (event.key === "Escape") focusOn(list.querySelector("button") ?? element);
  });

  function isSaved() {
    return field.value.trim() === sent;
  }

  /** Hand over what is new in the field; an empty field takes away only what was a note already. */
  function save() {
    clearTimeout(timer);
    if (callId === null || isSaved()) return;
    const text = field.value.trim();
    noteId ??= `n-${crypto.getRandomValues(new Uint32Array(3)).join("-")}`;
    if (actions.onNote(noteId, text)) {
      sent = text;
      setText(said, t("notes.saved"));
    } else {
      setText(said, t("notes.notSaved"));
      timer = setTimeout(save, PAUSE_MS);
    }
  }

  function begin() {
    field.value = "";
    noteId = null;
    sent = "";
  }

  function takeUp(id) {
    save();
    const note = notes.find((one) => one.note_id === id);
    if (!note || !isSaved()) return;
    field.value = note.text;
    noteId = note.note_id;
    sent = note.text;
    field.focus();
  }

  function remove(id) {
    const note = notes.find((one) => one.note_id === id);
    if (!note) return;
    if (!actions.onNote(id, "")) {
      setText(said, t("notes.notSaved"));
      return;
    }
    if (noteId === id) begin();
    removed = note;
    setText(said, t("notes.removed"));
    bringBack.hidden = false;
    clearTimeout(undoTimer);
    undoTimer = setTimeout(() => (bringBack.hidden = true), UNDO_MS);
  }

  function undo() {
    if (removed !== null && actions.onNote(removed.note_id, removed.text)) {
      bringBack.hidden = true;
      setText(said, "");
    }
  }

  /** Before another call is shown: what is in the field belongs to the old one, and goes to it. */
  function update(state) {
    const next = state.call?.call_id ?? null;
    if (next !== callId) {
      begin();
      callId = next;
      setText(said, "");
      bringBack.hidden = true;
      field.disabled = callId === null;
      field.placeholder = t(callId === null ? "notes.idle" : "notes.placeholder");
    }
    if (notes === state.notes) return;
    notes = state.notes;
    show([...notes].reverse());
  }

  field.disabled = true;
  return { element, update, save, focus: () => (field.disabled ? false : (field.focus(), true)) };
}
