// Asking again and again, while the page is looked at.
//
// In: a question. Out: calls of it, the next one only after the last was answered.

/** @param {(signal: AbortSignal) => Promise<void>} ask
 * @returns {{start: () => void, stop: () => void, now: () => Promise<void>}} */
export function mountWatch(ask, everyMs) {
  let timer = 0;
  let asking = null;
  let isOn = false;

  async function now() {
    clearTimeout(timer);
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      if (!document.hidden) await ask(mine.signal);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      if (isOn && mine === asking) timer = setTimeout(now, everyMs);
    }
  }

  function onShown() {
    if (isOn && !document.hidden) now();
  }

  function start() {
    isOn = true;
    document.addEventListener("visibilitychange", onShown);
    return now();
  }

  function stop() {
    isOn = false;
    clearTimeout(timer);
    asking?.abort();
    document.removeEventListener("visibilitychange", onShown);
  }

  return { start, stop, now };
}
