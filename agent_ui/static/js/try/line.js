// A call's line to the server, spoken by the page: `WS v1/calls/audio`, with everything that can befall it.
//
// In: a start message, an outbox, wishes (pause, stop). Out: the state of the line, told by `onState`.
// Not known here: microphones, the page. A line that breaks is taken up again where the server's copy ends.

import { delayMs } from "../socket.js";
import { RATE_HZ } from "./framing.js";

const UNSENT_BYTES = 512_000;
const GIVE_UP_MS = 600_000;
/** Errors that pass when a call is taken up again: a silent line is noticed by the server after 40 s. */
const PASSING = new Set(["call.id_in_use", "call.storage_failed", "call.failed"]);
const CODE_OF_CLOSE = { 4401: "access.unauthorised", 4403: "access.foreign_origin", 1013: "call.refused" };

/** @param {{address: () => string, start: object, outbox: object, onState: (state: object) => void}} how
 *  States: connecting, live, waiting (broken, tries again), ending, ended {seconds}, failed {code, message}. */
export function openLine({ address, start, outbox, onState, Socket = WebSocket }) {
  let socket = null;
  let callId = null;
  let isStarted = false; // on this socket
  let isPaused = false;
  let isStopping = false;
  let isOver = false;
  let attempt = 0;
  let brokenMs = null;
  let timer = 0;
  let last = null; // the server's last complaint on this socket

  function tell(name, more = {}) {
    onState({ name, callId, ...more });
  }

  function connect() {
    const mine = new Socket(address());
    socket = mine;
    isStarted = false;
    last = null;
    mine.onopen = () => {
      const again = callId === null ? {} : { call_id: callId, reconnect: true, buffered: true };
      mine.send(JSON.stringify({ ...start, ...again }));
    };
    mine.onmessage = ({ data }) => {
      if (mine === socket) take(JSON.parse(data));
    };
    mine.onclose = ({ code }) => {
      if (mine === socket) lose(code);
    };
  }

  function take(message) {
    if (message.type === "started") {
      if (callId !== null) outbox.rewind(Math.round(message.received_s * RATE_HZ));
      callId = message.call_id;
      isStarted = true;
      [attempt, brokenMs] = [0, null];
      tell(isStopping ? "ending" : "live");
      push();
      if (isPaused && !isStopping) socket.send(JSON.stringify({ type: "pause" }));
    } else if (message.type === "ended") {
      over("ended", { seconds: message.seconds });
    } else if (message.type === "error" && !message.recoverable) {
      last = message;
    }
  }

  function lose(closeCode) {
    socket = null;
    isStarted = false;
    if (isOver) return;
    const code = last?.code ?? CODE_OF_CLOSE[closeCode] ?? "network";
    const isPassing = callId !== null && (code === "network" || PASSING.has(code));
    brokenMs ??= Date.now();
    if (!isPassing || Date.now() - brokenMs > GIVE_UP_MS) return over("failed", { code, message: last?.message });
    tell("waiting", { code });
    timer = setTimeout(connect, delayMs(Math.min(attempt, 3), Math.random()));
    attempt += 1;
  }

  function over(name, more) {
    isOver = true;
    clearTimeout(timer);
    const old = socket;
    socket = null;
    old?.close();
    tell(name, more);
  }

  /** Send what is there, as far as the network takes it; the rest goes with the next frame. */
  function push() {
    if (!isStarted || socket.readyState !== 1) return;
    while (socket.bufferedAmount < UNSENT_BYTES) {
      const samples = outbox.next();
      if (samples === null) {
        if (isStopping) socket.send(JSON.stringify({ type: "stop" }));
        if (isStopping) isStarted = false; // nothing more after that
        return;
      }
      socket.send(samples);
    }
    if (isStopping) timer = setTimeout(push, 100);
  }

  tell("connecting");
  connect();
  return {
    push,
    pause(wanted) {
      if (isStopping || isPaused === wanted) return;
      push();
      isPaused = wanted;
      if (isStarted) socket.send(JSON.stringify({ type: wanted ? "pause" : "unpause" }));
    },
    /** Everything kept is sent first, after a reconnect if need be. */
    stop() {
      if (isStopping || isOver) return;
      if (callId === null) return over("ended", { seconds: 0 });
      isStopping = true;
      if (isStarted) {
        if (isPaused) socket.send(JSON.stringify({ type: "unpause" }));
        tell("ending");
        push();
      }
    },
    /** Give up what could not be sent; the server ends the call by itself. */
    abandon() {
      if (!isOver) over("ended", { seconds: null });
    },
  };
}
