// The recordings' half of the panel.
//
// In: the playlist's state. Out: controls, and wishes to the playlist. Not known here: uploads, sound.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { timer } from "../format.js";
import { choice } from "./mic_view.js";
import { sentenceOf } from "./sentences.js";

/** @param {{playlist: object, operatorId: () => string|null, onCall: Function, onShow: Function}} how */
export function mountFileView(t, { playlist, operatorId, onCall, onShow }, signal) {
  const input = h("input", { type: "file", multiple: true, hidden: true, accept: "audio/*,video/*" });
  const choose = h("button", { type: "button", class: "primary", onclick: () => input.click() }, t("file.choose"));
  const drop = h("div", { class: "try-drop" }, h("span", {}, t("file.drop")), choose, input);
  const left = choice(t("file.left"), ["citizen", "operator", "mixed"].map((one) => [one, t(`file.left.${one}`)]));
  const speed = choice(t("file.speed"), ["1", "2", "4"].map((one) => [one, `${one}×`]));
  const hear = h("input", { type: "checkbox" });
  const list = h("ol", { class: "try-files", "aria-label": t("file.list") });
  const note = h("p", { class: "try-problem", role: "status" });
  const empty = h("p", { class: "placeholder" }, t("file.empty"));
  const element = h(
    "div",
    { class: "try-view" },
    h("p", { class: "try-how" }, t("file.how")),
    left.element,
    speed.element,
    h("label", { class: "try-check" }, hear, t("file.hear")),
    drop,
    note,
    empty,
    list,
  );

  const add = (files) => {
    if (files.length === 0) return;
    playlist.add(files, {
      left: left.field.value,
      speed: Number(speed.field.value),
      operatorId: operatorId(),
      onCall,
    });
  };
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  hear.addEventListener("change", () => playlist.setHeard(hear.checked));
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    setAttribute(drop, "data-over", "true");
  });
  element.addEventListener("dragleave", () => setAttribute(drop, "data-over", null));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    setAttribute(drop, "data-over", null);
    add([...event.dataTransfer.files]);
  });
  const show = keyedRows(list, { key: ({ id }) => String(id), create, update: fill });
  playlist.watch(update, signal);

  function create({ id }) {
    const button = (name, text, onclick) =>
      h("button", { type: "button", class: `quiet try-${name}`, onclick }, text);
    const callOf = () => playlist.state.items.find((item) => item.id === id).callId;
    return h(
      "li",
      {},
      h("span", { class: "try-name" }),
      h("span", { class: "try-at" }),
      h("progress", { max: "1", value: "0", "aria-label": t("file.list") }),
      h("span", { class: "try-said", role: "status" }),
      h(
        "span",
        { class: "try-row-buttons" },
        button("pause", t("mic.pause"), () => playlist.pause(id)),
        button("show", t("file.show"), () => onShow(callOf())),
        button("again", t("file.again"), () => playlist.again(id)),
        button("remove", t("mic.stop"), () => playlist.remove(id)),
      ),
    );
  }

  function fill(row, item) {
    const part = (name) => row.querySelector(`.try-${name}`);
    const { phase, callId, error } = item;
    const isOver = phase === "ended" || phase === "failed";
    const isPlaying = phase === "playing" || phase === "paused";
    setAttribute(row, "data-phase", phase);
    setText(part("name"), item.name);
    setAttribute(part("name"), "title", item.name);
    setText(part("at"), item.seconds > 0 ? `${timer(item.positionS)} / ${timer(item.seconds)}` : "");
    row.querySelector("progress").hidden = phase === "failed" && item.seconds === 0;
    row.querySelector("progress").value = item.seconds > 0 ? item.positionS / item.seconds : 0;
    setText(part("said"), error ? sentenceOf("file", error, t) : said(item));
    part("pause").hidden = !isPlaying;
    setText(part("pause"), t(phase === "paused" ? "mic.resume" : "mic.pause"));
    part("show").hidden = callId === null;
    part("again").hidden = !isOver;
    part("remove").hidden = phase === "reading" || phase === "ending";
    setText(part("remove"), t(isPlaying ? "mic.stop" : "file.remove"));
  }

  function said({ phase, isTruncated, isAlike }) {
    const notes = [isTruncated && t("file.truncated"), isAlike && t("file.alike")].filter(Boolean);
    return [t(`file.phase.${phase}`), ...notes].join(" · ");
  }

  function update({ items, isFull, isHeard, canHear }) {
    show(items);
    empty.hidden = items.length > 0;
    hear.checked = isHeard;
    setText(note, isFull ? t("file.full") : canHear ? "" : t("file.unheard"));
  }

  return { element, focus: () => choose.focus() };
}
