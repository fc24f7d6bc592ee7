// The board's line to the server: it mends itself, and asks anew where it missed something.
//
// In: whom to tell when an event comes. Out: nothing but calls. Not known here: what events mean.

import { streamAddress } from "../api.js";
import { openStream } from "../socket.js";

const PATH = "v1/screens/hall";
const KEY = "zhiting.hallToken";
const UNAUTHORISED = 4401;
const RESYNC_AT_MOST_EVERY_MS = 10_000;

/** The key of a screen without a person: from the address, where it is taken away, else what was kept of it.
 * @returns {string|null} */
export function keyOfScreen() {
  const brought = new URLSearchParams(location.hash.slice(1)).get("token");
  if (brought === null) return localStorage.getItem(KEY);
  if (brought === "") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, brought);
  history.replaceState(null, "", location.pathname + location.search);
  return brought || null;
}

/**
 * @param {{key: string|null, since: () => number|null, onEvent: (event: object) => void,
 *   onRefused: (code: number) => void}} how
 */
export function openLine({ key, since, onEvent, onRefused }) {
  let isFresh = false;
  let askedMs = -Infinity;
  // A key that does not hold any more must not shut out somebody who has signed in: both are tried in turn.
  let isWithKey = key !== null;
  const stream = openStream(address, {
    onEvent,
    onLine: () => {},
    onRefused: (code) => {
      if (key !== null && code === UNAUTHORISED) isWithKey = !isWithKey;
      onRefused(code);
    },
  });

  function address() {
    const url = new URL(streamAddress(PATH, isFresh ? null : since()));
    if (isWithKey) url.searchParams.set("token", key);
    isFresh = false;
    return url.href;
  }

  return {
    /** Ask for a snapshot, if that was not done just now. */
    askAnew() {
      if (performance.now() - askedMs < RESYNC_AT_MOST_EVERY_MS) return;
      askedMs = performance.now();
      isFresh = true;
      stream.reopen();
    },
  };
}
