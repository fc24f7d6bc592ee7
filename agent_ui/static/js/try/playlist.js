// Recordings that wait to be played into the server, one after another, and the one that plays.
//
// In: files, and what the person wants. Out: one state, told at every change; the sound, where the browser can
// play it. Not known here: the page. Bound: 20 files; more are not taken, and that is told.

import { ApiError, getJson, sendJson } from "../api.js";

const PATH = "v1/calls/recordings";
const MOST_FILES = 20;
const MOST_BYTES = 200_000_000;
const LOOK_MS = 500;
const DRIFT_S = 0.7;
const OVER = new Set(["ended", "failed"]);

export function createPlaylist() {
  const watchers = new Set();
  const sound = new Audio();
  let state = { items: [], isFull: false, isHeard: true, canHear: true };
  let nextId = 1;
  let isRunning = false;

  function set(more) {
    state = { ...state, ...more };
    for (const watcher of watchers) watcher(state);
  }

  function change(id, more) {
    set({ items: state.items.map((item) => (item.id === id ? { ...item, ...more } : item)) });
  }

  const find = (id) => state.items.find((item) => item.id === id);

  function add(files, options) {
    const room = MOST_FILES - state.items.filter(({ phase }) => !OVER.has(phase)).length;
    const taken = [...files].slice(0, room).map((file) => ({
      id: nextId++,
      file,
      name: file.name,
      options,
      phase: "waiting", // reading, playing, paused, ending, ended, failed
      error: file.size > MOST_BYTES ? { code: "recording.too_large" } : null,
      positionS: 0,
      seconds: 0,
      callId: null,
    }));
    for (const item of taken) if (item.error !== null) item.phase = "failed";
    const over = state.items.filter(({ phase }) => OVER.has(phase)).slice(-MOST_FILES);
    const open = state.items.filter(({ phase }) => !OVER.has(phase));
    set({ items: [...over, ...open, ...taken], isFull: files.length > room });
    run();
  }

  async function run() {
    if (isRunning) return;
    isRunning = true;
    try {
      for (;;) {
        const item = state.items.find(({ phase }) => phase === "waiting");
        if (item === undefined) break;
        await play(item);
      }
    } finally {
      isRunning = false;
    }
  }

  async function play(item) {
    change(item.id, { phase: "reading", error: null });
    const { left, speed, operatorId, onCall } = item.options;
    try {
      const query = { name: item.name.slice(-200), left, speed, operator_id: operatorId };
      const begun = await sendJson("POST", PATH, { query, body: item.file });
      change(item.id, { callId: begun.call_id, isTruncated: begun.is_truncated, isAlike: begun.is_alike });
      take(item.id, begun);
      onCall(begun.call_id);
      hear(item);
      await follow(item.id, begun.call_id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      change(item.id, { phase: "failed", error: { code: error.code, message: error.detail.message } });
    } finally {
      silence();
    }
  }

  /** Ask where it stands until it is over; a server that cannot be reached is asked again. */
  async function follow(id, callId) {
    while (find(id) !== undefined && !OVER.has(find(id).phase)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      try {
        take(id, await getJson(`${PATH}/${callId}`));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status !== 0 && error.status < 500) throw error;
        sound.pause();
      }
    }
  }

  function take(id, told) {
    change(id, { phase: told.state, positionS: told.position_s, seconds: told.seconds, error: told.error });
    keepInStep(told);
  }

  function hear(item) {
    sound.src = URL.createObjectURL(item.file);
    sound.playbackRate = item.options.speed;
    sound.defaultPlaybackRate = item.options.speed;
    sound.muted = !state.isHeard;
    set({ canHear: true });
    sound.play().catch(() => set({ canHear: false }));
  }

  function keepInStep({ state: phase, position_s: positionS }) {
    if (!sound.src || !state.canHear) return;
    if (phase === "playing") {
      if (Math.abs(sound.currentTime - positionS) > DRIFT_S * sound.playbackRate) sound.currentTime = positionS;
      if (sound.paused && !sound.ended) sound.play().catch(() => set({ canHear: false }));
    } else sound.pause();
  }

  function silence() {
    sound.pause();
    if (sound.src) URL.revokeObjectURL(sound.src);
    sound.removeAttribute("src");
  }

  async function steer(id, method, body) {
    const { callId } = find(id);
    try {
      take(id, await sendJson(method, `${PATH}/${callId}`, { body }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      change(id, { error: { code: error.code, message: error.detail.message } });
    }
  }

  globalThis.addEventListener("beforeunload", (event) => {
    // What plays goes on without the page; what was not sent yet would be forgotten.
    if (state.items.some(({ phase }) => phase === "waiting" || phase === "reading")) {
      event.preventDefault();
      event.returnValue = ""; // browsers of before 2023 ask only then
    }
  });

  return {
    add,
    pause: (id) => steer(id, "PATCH", { paused: find(id).phase === "playing" }),
    /** Stop what plays, or take away what waits or is over. */
    remove(id) {
      const { phase } = find(id);
      if (phase === "playing" || phase === "paused") return steer(id, "DELETE");
      if (phase === "waiting" || OVER.has(phase)) set({ items: state.items.filter((item) => item.id !== id) });
      return undefined;
    },
    again(id) {
      change(id, { phase: "waiting", error: null, positionS: 0 });
      run();
    },
    setHeard(isHeard) {
      sound.muted = !isHeard;
      set({ isHeard });
    },
    get state() {
      return state;
    },
    watch(watcher, signal) {
      watchers.add(watcher);
      signal.addEventListener("abort", () => watchers.delete(watcher));
      watcher(state);
    },
  };
}
