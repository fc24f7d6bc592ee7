// What time it is at the server, and how old the data on the board is.
//
// In: what was heard and when, by this computer's own stopwatch. Out: moments and levels.
// Not known here: the document; this computer's clock, which may be wrong.

/** The server says something every 5 s. */
export const SILENCE_MS = 15_000;

/** @typedef {{serverMs: number, heardMs: number, speed: number}} Heard the server's time in the last event, the
 *   stopwatch when it came, and how fast the day passes */

/** @returns {number} the server's present
 * @param {Heard} heard */
export function presentMs({ serverMs, heardMs, speed }, stopwatchMs) {
  return serverMs + Math.max(0, stopwatchMs - heardMs) * speed;
}

/** @param {Heard|null} heard null before anything was
 * @param {number|null} refused the code by which the board was turned away
 * @returns {{level: "waiting"|"refused"|"live"|"stale", ageS: number}} how much the board may be trusted */
export function freshness(heard, refused, stopwatchMs) {
  if (heard === null) return { level: refused === null ? "waiting" : "refused", ageS: 0 };
  const silentMs = stopwatchMs - heard.heardMs;
  // A line that mends itself within a moment is not worth a word.
  const level = silentMs > SILENCE_MS || refused !== null ? "stale" : "live";
  return { level, ageS: Math.floor(silentMs / 1000) };
}
