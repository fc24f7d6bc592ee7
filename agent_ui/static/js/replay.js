// Hearing a stretch of the call again.
//
// In: a call and a stretch of its media time. Out: sound, and a small bar that says how far it is.
// Both legs are mixed into one: with a headset on one ear neither may be missing.

import { ApiError, getBytes } from "./api.js";
import { h, setAttribute, setText } from "./dom.js";
import { keyOf } from "./keys.js";

const AGAIN_S = 10;
const TICK_MS = 100;

export function mountReplay(t) {
  const button = h(
    "button",
    { type: "button", class: "replay", title: `${t("replay.open")} (${keyOf("replay")})` },
    h("span", { class: "replay-said" }, t("replay.open")),
    h("progress", { class: "replay-bar", max: "1", value: "0", "aria-hidden": "true" }),
  );
  const [said, bar] = button.children;
  let callId = null;
  let context = null;
  let source = null;
  let asking = new AbortController();
  let ticking = 0;
  button.addEventListener("click", () => again());

  function again() {
    if (source !== null) stop();
    else play({ last_s: AGAIN_S });
    return true;
  }

  /** @param {{last_s?: number, from_s?: number, to_s?: number}} stretch */
  async function play(stretch) {
    stop();
    if (callId === null) return;
    asking = new AbortController();
    const { signal } = asking;
    setText(said, t("replay.loading"));
    try {
      const bytes = await getBytes(`v1/calls/${encodeURIComponent(callId)}/audio`, stretch, signal);
      context ??= new AudioContext();
      await context.resume();
      const sound = await context.decodeAudioData(bytes);
      if (!signal.aborted) start(sound);
    } catch (error) {
      if (error.name === "AbortError") return;
      setText(said, t("replay.error", { code: error instanceof ApiError ? error.code : error.name }));
      setAttribute(button, "data-state", "failed");
    }
  }

  function start(sound) {
    const both = new GainNode(context, { channelCount: 1, channelCountMode: "explicit" });
    const mine = new AudioBufferSourceNode(context, { buffer: sound });
    source = mine;
    mine.connect(both).connect(context.destination);
    const startedS = context.currentTime;
    mine.onended = () => mine === source && stop();
    mine.start();
    setText(said, t("replay.stop"));
    setAttribute(button, "data-state", "playing");
    ticking = setInterval(() => {
      bar.value = Math.min(1, (context.currentTime - startedS) / sound.duration);
    }, TICK_MS);
  }

  function stop() {
    asking.abort();
    clearInterval(ticking);
    const old = source;
    source = null;
    old?.stop();
    bar.value = 0;
    setAttribute(button, "data-state", null);
    setText(said, t("replay.open"));
  }

  function update(call) {
    if ((call?.call_id ?? null) === callId) return;
    stop();
    callId = call?.call_id ?? null;
    button.disabled = callId === null;
  }

  button.disabled = true;
  return { element: button, again, play, stop, update };
}
