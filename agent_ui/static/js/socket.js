// One stream of events that mends itself.
//
// In: an address and what was last seen. Out: events in order, and the state of the line.
// Not known here: what the events mean, beyond being JSON.

import { EVENT } from "./protocol.js";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8000;
/** A line that held this long was a good one: the next try starts over with the shortest wait. */
const STEADY_MS = 10000;
/** Closed because of who we are: "policy violation", and the private codes named after 401 and 403. */
export const FORBIDDEN = 4403;
/** The server stops, and closes all sockets at once; so they come back to the next one within so long. */
const RESTART = 1012;
const SPREAD_MS = 2000;
/** The server says every 5 s that it is there. A line without a word for so long is dead, and so is one that does not
 * open: where a machine or a cable is gone, the browser itself would wait for minutes. */
const SILENT_MS = 15000;
const LOOK_EVERY_MS = 1000;
/** What a browser says of a line that ended without a word. */
const GONE = 1006;
const REFUSED_CODES = new Set([1008, 4401, FORBIDDEN]);

/** @typedef {{name: "connecting"|"open"|"waiting"|"closed", retryAtMs?: number}} LineState */

/** Wait before a try: doubles from 0.5 s to 8 s, of which the upper half is left to chance so that a hall of
 * screens does not come back in one blow. `chance` in [0, 1). */
export function delayMs(attempt, chance) {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return full * (0.5 + chance / 2);
}

/**
 * Keep a socket open until `close` is called.
 * @param {() => string} address asked before every try; carries `since` when something was seen
 * @param {{onEvent: (event: object) => void, onLine: (state: LineState) => void,
 *   onRefused: (code: number) => void}} told `onRefused`: not let in, or ended before the line was open, so the
 *   caller may want to find out why; `FORBIDDEN` where this is not ours to see.
 */
export function openStream(address, { onEvent, onLine, onRefused }) {
  let socket = null;
  let timer = 0;
  let attempt = 0;
  let isClosed = false;
  let openedMs = 0;
  let heardMs = 0;
  /** Nothing is to be concluded from silence: the line is open, to a server that has not said yet that it is there. */
  let mayBeSilent = false;

  function connect() {
    clearTimeout(timer);
    onLine({ name: "connecting" });
    const url = new URL(address());
    url.searchParams.set("alive", "true");
    const mine = new WebSocket(url);
    openedMs = 0;
    heardMs = performance.now();
    mayBeSilent = false;
    socket = mine;
    mine.onopen = () => {
      if (mine !== socket) return;
      openedMs = performance.now();
      mayBeSilent = true;
      onLine({ name: "open" });
    };
    mine.onmessage = ({ data }) => {
      if (mine !== socket) return;
      const event = JSON.parse(data);
      heardMs = performance.now();
      if (event.type === EVENT.STREAM_ALIVE) mayBeSilent = false;
      else onEvent(event);
    };
    mine.onclose = ({ code }) => {
      if (mine === socket) lose(code);
    };
  }

  function lose(code) {
    socket = null;
    if (openedMs === 0 || REFUSED_CODES.has(code)) onRefused(code);
    else if (performance.now() - openedMs > STEADY_MS) attempt = 0;
    if (!isClosed) wait(code === RESTART ? Math.random() * SPREAD_MS : 0);
  }

  function lookWhetherSilent() {
    if (socket === null || mayBeSilent || performance.now() - heardMs < SILENT_MS) return;
    const dead = socket;
    lose(GONE);
    dead.close();
  }

  function wait(spreadMs) {
    const delay = delayMs(attempt, Math.random()) + spreadMs;
    attempt += 1;
    onLine({ name: "waiting", retryAtMs: Date.now() + delay });
    timer = setTimeout(connect, delay);
  }

  function drop() {
    clearTimeout(timer);
    const old = socket;
    socket = null;
    old?.close();
  }

  /** Try at once: the network is back, the operator asks, or facts are missing. */
  function reopen() {
    if (isClosed) return;
    drop();
    connect();
  }

  function retryIfWaiting() {
    if (socket === null && document.visibilityState === "visible") reopen();
  }

  globalThis.addEventListener("online", retryIfWaiting);
  document.addEventListener("visibilitychange", retryIfWaiting);
  const looking = setInterval(lookWhetherSilent, LOOK_EVERY_MS);
  connect();

  return {
    reopen,
    /** Send a command; false where there is no line to send it on. */
    send(command) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(command));
      return true;
    },
    close() {
      isClosed = true;
      clearInterval(looking);
      globalThis.removeEventListener("online", retryIfWaiting);
      document.removeEventListener("visibilitychange", retryIfWaiting);
      drop();
      onLine({ name: "closed" });
    },
  };
}
