// Asking again where the server was asked too often.
//
// In: a way of asking. Out: its answer, as late as the server wants it. Not known here: what is asked for.

const TOO_OFTEN = "rate.limited";
const MOST_TRIES = 5;
const LONGEST_S = 60;

/** Seconds to wait, a little more left to chance so that many pages do not come back in one blow; null where the
 * answer is to be taken as it is. `chance` in [0, 1). */
export function waitS({ status, code, retryAfter }, tries, chance) {
  if (status !== 429 || code !== TOO_OFTEN || tries >= MOST_TRIES) return null;
  const told = Number(retryAfter);
  return Math.min(LONGEST_S, told > 0 ? told : 1) * (1 + chance / 4);
}

/** Ask, and ask again where it was too often.
 * @param {() => Promise<Response>} ask
 * @param {{pause: (seconds: number) => Promise<void>, say: () => () => void}} how `pause` may raise, where nobody
 *   wants the answer any more; `say` tells the person that it takes longer, and returns what takes that off again
 * @returns {Promise<Response>} the answer, or the last refusal */
export async function askPatiently(ask, { pause, say }) {
  let found = null;
  try {
    for (let tries = 1; ; tries += 1) {
      const response = await ask();
      if (response.status !== 429) return response;
      const { detail } = await response.clone().json().catch(() => ({}));
      const told = { status: 429, code: detail?.code, retryAfter: response.headers.get("Retry-After") };
      const seconds = waitS(told, tries, Math.random());
      if (seconds === null) return response;
      found ??= say();
      await pause(seconds);
    }
  } finally {
    found?.();
  }
}

/** @returns {Promise<void>} after so many seconds; raises the signal's reason where it is given up before */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, seconds * 1000);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    function done() {
      signal?.removeEventListener("abort", leave);
      resolve();
    }
    if (signal?.aborted) leave();
    else signal?.addEventListener("abort", leave, { once: true });
  });
}
