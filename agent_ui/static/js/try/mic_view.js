// The microphone's half of the panel.
//
// In: the trial's state. Out: controls, and wishes to the trial. Not known here: sound, sockets.

import { h, setAttribute, setText } from "../dom.js";
import { duration, timer } from "../format.js";
import { judgeLevel } from "./framing.js";
import { sentenceOf } from "./sentences.js";
import { isAtRest } from "./trial.js";

const SAY_LEVEL_EVERY_MS = 1500;
const FLOOR_DB = -70;

/** @param {{trial: object, operatorId: () => string|null, onCall: (callId: string) => void}} how */
export function mountMicView(t, { trial, operatorId, onCall }, signal) {
  const party = choice(t("mic.party"), ["citizen", "operator", "mixed"].map((one) => [one, t(`mic.party.${one}`)]));
  const device = choice(t("mic.device"), []);
  const touch = h("input", { type: "checkbox" });
  const start = h("button", { type: "button", class: "primary", onclick: begin }, t("mic.start"));
  const pause = h("button", { type: "button", onclick: trial.pause }, t("mic.pause"));
  const stop = h("button", { type: "button", class: "try-stop", onclick: trial.stop }, t("mic.stop"));
  const phase = h("p", { class: "try-phase", role: "status" });
  const time = h("span", { class: "try-time", role: "timer" });
  const bar = h("i");
  const word = h("span", { class: "try-level-word" });
  const meter = h(
    "div",
    { class: "try-level", role: "meter", "aria-label": t("mic.level"), "aria-valuemin": "-70", "aria-valuemax": "0" },
    h("span", {}, t("mic.level")),
    h("span", { class: "try-bar", "aria-hidden": "true" }, bar),
    word,
  );
  const problem = h("p", { class: "try-problem", role: "alert" });
  const element = h(
    "div",
    { class: "try-view" },
    h("p", { class: "try-how" }, t("mic.how")),
    party.element,
    device.element,
    h("label", { class: "try-check", title: t("mic.touch.tip") }, touch, t("mic.touch")),
    h("div", { class: "try-buttons" }, start, pause, stop),
    h("div", { class: "try-now" }, phase, time),
    meter,
    problem,
  );
  let shownCall = trial.state.callId; // not again where only the language changes
  let saidMs = 0;

  const pick = () => trial.choose(device.field.value || null, touch.checked);
  device.field.addEventListener("change", pick);
  touch.addEventListener("change", pick);
  trial.watch(update, signal);

  function begin() {
    trial.start({
      party: party.field.value,
      operatorId: operatorId(),
      meta: { 来源: "话筒试听写" },
    });
  }

  function update(state) {
    const isOn = !isAtRest(state.phase);
    const isCarried = ["live", "paused", "waiting", "ending"].includes(state.phase);
    setAttribute(element, "data-phase", state.phase);
    start.hidden = isOn;
    pause.hidden = !isOn;
    stop.hidden = !isOn;
    party.field.disabled = isOn;
    pause.disabled = state.phase !== "live" && state.phase !== "paused";
    stop.disabled = !isCarried && state.phase !== "connecting";
    setText(pause, t(state.phase === "paused" ? "mic.resume" : "mic.pause"));
    setText(stop, t(state.phase === "ending" ? "mic.abandon" : "mic.stop"));
    setText(phase, t(`mic.phase.${state.phase}`, { duration: duration(state.seconds, t.language) }));
    setText(time, isOn ? timer(state.seconds) : "");
    showLevel(state);
    setText(problem, problemOf(state));
    showDevices(state);
    touch.checked = state.isTouchedUp;
    if (state.callId !== null && state.callId !== shownCall) {
      shownCall = state.callId;
      onCall(state.callId);
    }
  }

  function problemOf(state) {
    if (state.phase === "failed") return sentenceOf("mic", state, t);
    if (state.lostS >= 1) return t("mic.lost", { seconds: Math.round(state.lostS) });
    return state.notice === null ? "" : t(`mic.notice.${state.notice}`);
  }

  /** The bar follows every block; the word, which is read out, only now and then. */
  function showLevel({ phase: name, db }) {
    const isHearing = name === "live" || name === "waiting" || name === "connecting";
    bar.style.transform = `scaleX(${isHearing ? Math.max(0, Math.min(1, 1 - db / FLOOR_DB)) : 0})`;
    const now = performance.now();
    if (isHearing && now - saidMs < SAY_LEVEL_EVERY_MS) return;
    saidMs = now;
    const said = isHearing ? t(`mic.level.${judgeLevel(db)}`) : "—";
    setText(word, said);
    setAttribute(meter, "aria-valuenow", Math.round(Math.max(FLOOR_DB, isHearing ? db : FLOOR_DB)));
    setAttribute(meter, "aria-valuetext", said);
  }

  function showDevices({ devices, deviceId }) {
    const known = devices.filter(({ id }) => id !== "default");
    const options = [
      ["", t("mic.device.default")],
      ...known.map(({ id, label }, index) => [id, label || t("mic.device.unnamed", { n: index + 1 })]),
    ];
    device.offer(options);
    const wanted = known.some(({ id }) => id === deviceId) ? deviceId : "";
    if (device.field.value !== wanted) device.field.value = wanted;
  }

  return { element, focus: () => (start.hidden ? pause : start).focus() };
}

/** A labelled list of choices. */
export function choice(label, options) {
  const field = h("select");
  let shown = "";
  function offer(next) {
    if (JSON.stringify(next) === shown) return;
    shown = JSON.stringify(next);
    field.replaceChildren(...next.map(([value, text]) => h("option", { value }, text)));
  }
  offer(options);
  return { element: h("label", { class: "try-field" }, h("span", {}, label), field), field, offer };
}
