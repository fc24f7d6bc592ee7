// A call that somebody makes with the microphone of this PC: microphone, resampling, outbox and line joined.
//
// In: what the person wants (start, pause, stop, another device). Out: one state, told at every change.
// Not known here: the page. The call goes on where panels are closed or the language is switched.

import { streamAddress } from "../api.js";
import { createFramer, levelDb, RATE_HZ, toPcm16 } from "./framing.js";
import { openLine } from "./line.js";
import { listMicrophones, MicrophoneError, openMicrophone } from "./microphone.js";
import { createOutbox } from "./outbox.js";
import { createResampler } from "./resample.js";

const DEVICE_KEY = "zhiting.try.device";
const TOUCH_KEY = "zhiting.try.touch";
const SILENT_AFTER_S = 5;
const SILENT_DB = -65;

/** Before a call, and after one. */
const AT_REST = new Set(["idle", "ended", "failed"]);

export function createTrial() {
  const watchers = new Set();
  let state = {
    phase: "idle", // asking, connecting, live, paused, waiting, ending, ended, failed
    code: null,
    message: null,
    notice: null, // of the microphone, while the call goes on: gone, changed, silent
    callId: null,
    seconds: 0,
    db: -100,
    lostS: 0,
    devices: [],
    deviceId: localStorage.getItem(DEVICE_KEY),
    isTouchedUp: localStorage.getItem(TOUCH_KEY) === "true",
  };
  let microphone = null;
  let line = null;
  let parts = null; // of this call: resampler, framer, outbox
  let heardS = 0;

  function set(more) {
    state = { ...state, ...more };
    for (const watcher of watchers) watcher(state);
  }

  async function refreshDevices() {
    set({ devices: await listMicrophones() });
  }

  async function start({ party, operatorId, meta }) {
    if (!AT_REST.has(state.phase)) return;
    set({ phase: "asking", code: null, message: null, notice: null, callId: null, seconds: 0, lostS: 0 });
    try {
      microphone = await openMicrophone({
        deviceId: state.deviceId,
        isTouchedUp: state.isTouchedUp,
        onSamples: hear,
        onGone: takeAnother,
      });
    } catch (error) {
      return fail(codeOf(error));
    }
    heardS = 0;
    parts = {
      resampler: createResampler(microphone.rateHz, RATE_HZ),
      framer: createFramer(),
      outbox: createOutbox(),
    };
    line = openLine({
      address: () => streamAddress("v1/calls/audio", null),
      outbox: parts.outbox,
      onState: follow,
      start: {
        type: "start",
        encoding: "pcm_s16le",
        sample_rate: RATE_HZ,
        channels: [party],
        ...(operatorId ? { operator_id: operatorId } : {}),
        meta,
      },
    });
    refreshDevices();
  }

  function hear(samples) {
    if (parts === null || state.phase === "paused" || state.phase === "ending") return;
    const db = levelDb(samples);
    heardS = db > SILENT_DB ? 0 : heardS + samples.length / microphone.rateHz;
    for (const frame of parts.framer.push(toPcm16(parts.resampler.push(samples)))) parts.outbox.add(frame);
    line.push();
    const silence = heardS > SILENT_AFTER_S ? "silent" : null;
    set({
      db,
      seconds: state.seconds + samples.length / microphone.rateHz,
      lostS: parts.outbox.lostSamples / RATE_HZ,
      notice: state.notice === "silent" || state.notice === null ? silence : state.notice,
    });
  }

  function follow(told) {
    if (told.name === "failed") return fail(told.code, told.message);
    if (told.name === "ended") {
      release();
      return set({ phase: "ended", seconds: told.seconds ?? state.seconds, db: -100, notice: null });
    }
    const isHeld = state.phase === "paused" && told.name === "live";
    const isWanted = state.phase !== "ending" || told.name === "ending";
    set({ callId: told.callId, ...(isHeld || !isWanted ? {} : { phase: told.name }) });
  }

  /** The device is gone: go on with whatever the system offers, or hold the call until there is one. */
  async function takeAnother() {
    try {
      await microphone?.change(null, state.isTouchedUp);
      set({ notice: "changed" });
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      set({ notice: "gone", db: -100 });
    }
    refreshDevices();
  }

  async function choose(deviceId, isTouchedUp) {
    set({ deviceId, isTouchedUp });
    if (deviceId === null) localStorage.removeItem(DEVICE_KEY);
    else localStorage.setItem(DEVICE_KEY, deviceId);
    localStorage.setItem(TOUCH_KEY, String(isTouchedUp));
    if (microphone === null) return;
    try {
      await microphone.change(deviceId, isTouchedUp);
      set({ notice: null });
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      set({ notice: "busy" });
    }
  }

  function pause() {
    if (state.phase !== "live" && state.phase !== "paused") return;
    const isPaused = state.phase === "live";
    if (isPaused) flush(); // what was said up to now belongs to the call
    line.pause(isPaused);
    set({ phase: isPaused ? "paused" : "live", db: -100 });
  }

  function flush() {
    for (const frame of parts.framer.flush()) parts.outbox.add(frame);
    line.push();
  }

  function stop() {
    if (line === null) return;
    if (state.phase === "ending") return line.abandon();
    if (state.phase !== "paused") {
      for (const frame of parts.framer.push(toPcm16(parts.resampler.flush()))) parts.outbox.add(frame);
      flush();
    }
    microphone?.close();
    microphone = null;
    set({ phase: "ending", db: -100, notice: null });
    line.stop();
  }

  function fail(code, message = null) {
    release();
    set({ phase: "failed", code, message, db: -100, notice: null });
  }

  function release() {
    microphone?.close();
    [microphone, line, parts] = [null, null, null];
  }

  navigator.mediaDevices?.addEventListener?.("devicechange", () => {
    refreshDevices();
    if (state.notice === "gone") takeAnother();
  });
  globalThis.addEventListener("beforeunload", (event) => {
    if (AT_REST.has(state.phase)) return;
    event.preventDefault();
    event.returnValue = ""; // browsers of before 2023 ask only then
  });
  globalThis.addEventListener("pagehide", () => {
    if (!AT_REST.has(state.phase) && state.phase !== "ending") stop();
  });

  return {
    start,
    pause,
    stop,
    choose,
    refreshDevices,
    get state() {
      return state;
    },
    /** Be told of every state until the signal. */
    watch(watcher, signal) {
      watchers.add(watcher);
      signal.addEventListener("abort", () => watchers.delete(watcher));
      watcher(state);
    },
  };
}

export function isAtRest(phase) {
  return AT_REST.has(phase);
}

function codeOf(error) {
  return error instanceof MicrophoneError ? error.code : "mic.other";
}
