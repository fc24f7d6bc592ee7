// The recording: an audio element with controls of ours, which keys work as well.
//
// In: addresses of a recording. Out: sound, and the moment it is at, ten times a second. What the browser cannot play is
// asked for in a form that it can.
// Not known here: the text.

import { h, setAttribute, setText } from "../dom.js";
import { timer } from "../format.js";
import { button, reasonOf } from "../parts.js";

export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];
const KEY = "zhiting.speed";
const STEP_S = 5;
const TICK_MS = 100;

/** @param {{onTime: (seconds: number, now: {isPlaying: boolean, isAsked: boolean}) => void}} actions `isAsked`: somebody
 * has just gone to that moment */
export function mountPlayer(t, { onTime }) {
  const audio = h("audio", { preload: "metadata" });
  const play = button("", toggle, { class: "primary rec-play", title: t("player.play.tip") });
  const back = button(t("player.back"), () => skip(-STEP_S), { title: t("player.back.tip") });
  const on = button(t("player.on"), () => skip(STEP_S), { title: t("player.on.tip") });
  const slider = h("input", { type: "range", min: "0", step: "0.1", value: "0", "aria-label": t("player.place") });
  const clock = h("span", { class: "rec-clock" });
  const speed = h(
    "select",
    { "aria-label": t("player.speed"), title: t("player.speed.tip") },
    ...SPEEDS.map((one) => h("option", { value: String(one) }, `${one}×`)),
  );
  const said = h("span", { class: "rec-player-said", role: "status" });
  const retry = button(t("player.retry"), () => load(source, audio.currentTime), { hidden: true });
  const element = h(
    "section",
    { class: "rec-player", "aria-label": t("player.label"), "data-empty": "true" },
    audio,
    back,
    play,
    on,
    clock,
    h("span", { class: "rec-slide" }, slider, said, retry),
    speed,
  );
  let source = null;
  let form = "original";
  let lengthS = 0;
  let untilS = null;
  let ticking = 0;

  speed.value = localStorage.getItem(KEY) ?? "1";
  if (speed.value === "") speed.value = "1";
  speed.addEventListener("change", () => setSpeed(Number(speed.value)));
  slider.addEventListener("input", () => seek(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S }[event.key];
    if (event.key === " ") toggle();
    else if (by !== undefined) skip(by);
    else return;
    event.preventDefault();
  });
  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration)) lengthS = audio.duration;
    audio.playbackRate = Number(speed.value);
    tell("");
    draw();
  });
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, onTurn);
  audio.addEventListener("seeked", () => report(true));
  audio.addEventListener("error", onError);

  /** @param {{address: (form: "original"|"wav") => string, why: () => Promise<Error|null>, seconds: number}} next
   * `why` asks the server why it cannot be had. @param {number} atS where to go on */
  function load(next, atS = 0) {
    source = next;
    setAttribute(element, "data-empty", null);
    lengthS = next.seconds;
    form = "original";
    untilS = null;
    retry.hidden = true;
    tell(t("player.loading"));
    audio.src = next.address(form);
    audio.load();
    if (atS > 0) audio.currentTime = atS;
    draw();
  }

  async function onError() {
    if (source === null || !audio.hasAttribute("src")) return;
    const mine = source;
    if (form === "original") {
      form = "wav";
      tell(t("player.converting"));
      const { currentTime, paused } = audio;
      audio.src = mine.address(form);
      audio.currentTime = currentTime;
      if (!paused) start();
      return;
    }
    const error = await mine.why();
    if (mine !== source) return;
    tell(error ? reasonOf(error, t) : t("player.failed"), "bad");
    retry.hidden = false;
    draw();
  }

  function tell(text, level = null) {
    setText(said, text);
    setAttribute(said, "data-level", level);
    setAttribute(element, "data-said", text === "" ? null : "true");
  }

  function onTurn() {
    clearInterval(ticking);
    if (!audio.paused) ticking = setInterval(() => report(false), TICK_MS);
    report(false);
  }

  function report(isAsked) {
    if (untilS !== null && audio.currentTime >= untilS) {
      untilS = null;
      audio.pause();
    }
    draw();
    onTime(audio.currentTime, { isPlaying: !audio.paused, isAsked });
  }

  function draw() {
    const atS = audio.currentTime;
    setText(play, t(audio.paused ? "player.play" : "player.pause"));
    slider.max = String(Math.max(lengthS, 0.1));
    slider.value = String(atS);
    const shown = `${timer(atS)} / ${timer(lengthS)}`;
    setText(clock, shown);
    slider.setAttribute("aria-valuetext", shown);
  }

  function toggle() {
    untilS = null;
    if (!audio.paused) return audio.pause();
    if (audio.ended) audio.currentTime = 0;
    start();
  }

  function start() {
    // A browser that does not want to play yet says so by the error event, or is interrupted by the next wish.
    audio.play().catch(() => draw());
  }

  function seek(seconds) {
    untilS = null;
    audio.currentTime = Math.min(Math.max(0, seconds), Math.max(lengthS - 0.05, 0));
    report(true);
  }

  const skip = (by) => seek(audio.currentTime + by);

  function setSpeed(next) {
    speed.value = String(next);
    audio.playbackRate = next;
    localStorage.setItem(KEY, speed.value);
  }

  return {
    element,
    load,
    toggle,
    skip,
    seek,
    /** Hear it from a moment on, up to another one if there is one. */
    hear: (fromS, toS = null) => {
      seek(fromS);
      untilS = toS;
      start();
    },
    pause: () => audio.pause(),
    faster: (by) => setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(Number(speed.value)) + by))]),
    atS: () => audio.currentTime,
    close: () => {
      clearInterval(ticking);
      source = null;
      setAttribute(element, "data-empty", "true");
      audio.pause();
      audio.removeAttribute("src");
      audio.load();
    },
  };
}
