// A question that is spoken instead of typed: the microphone's sound goes to the server and comes back as text.
//
// In: presses of a button. Out: the text, or a sentence about what went wrong. Not known here: what is asked with it.

import { ApiError, sendJson } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { reasonOf } from "../parts.js";
import { MicrophoneError, openMicrophone } from "../try/microphone.js";
import { wavOf } from "../wav.js";

const MOST_S = 30;

/** @param {{onText: (text: string) => void, onWrong: (sentence: string) => void}} told */
export function mountSpoken(t, { onText, onWrong }) {
  const element = h("button", { type: "button", class: "kb-speak", onclick: press });
  let phase = "idle";
  let microphone = null;
  let pieces = [];
  let timer = 0;
  let asking = new AbortController();

  function turn(next) {
    phase = next;
    setText(element, t(`speak.${phase}`));
    setAttribute(element, "data-phase", phase);
    setAttribute(element, "title", t(phase === "listening" ? "speak.listening.tip" : "speak.tip"));
    setAttribute(element, "aria-disabled", phase === "asking" || phase === "writing" ? "true" : null);
  }

  function press() {
    if (phase === "idle") listen();
    else if (phase === "listening") write();
  }

  async function listen() {
    turn("asking");
    onWrong("");
    pieces = [];
    try {
      microphone = await openMicrophone({
        deviceId: null,
        isTouchedUp: false,
        onSamples: (samples) => pieces.push(samples),
        onGone: write,
      });
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      turn("idle");
      return onWrong(t(`mic.error.${error.code}`));
    }
    if (phase !== "asking") return hush(); // closed while the browser asked
    turn("listening");
    timer = setTimeout(write, MOST_S * 1000);
  }

  async function write() {
    if (phase !== "listening") return;
    const rateHz = microphone.rateHz;
    hush();
    turn("writing");
    const form = new FormData();
    form.append("file", wavOf(pieces, rateHz), "question.wav");
    form.append("model", "whisper-1");
    form.append("language", "zh");
    form.append("response_format", "json");
    asking = new AbortController();
    try {
      const { text } = await sendJson("POST", "v1/audio/transcriptions", { body: form, signal: asking.signal });
      turn("idle");
      if (text.trim() === "") onWrong(t("speak.nothing"));
      else onText(text.trim());
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      turn("idle");
      onWrong(reasonOf(error, t));
    }
  }

  function hush() {
    clearTimeout(timer);
    microphone?.close();
    microphone = null;
  }

  /** The panel is closed: nobody listens any more. */
  function stop() {
    asking.abort();
    hush();
    turn("idle");
  }

  turn("idle");
  return { element, stop };
}
