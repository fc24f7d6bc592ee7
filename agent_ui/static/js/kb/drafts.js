// What was written and not saved, kept in this browser until it is saved or given up.
//
// In: texts by article, a store like localStorage, the time. Out: the same again, also after a restart.
// Not known here: what is on the screen. At most `MOST` are kept; the oldest goes, and `keep` says which.

const PREFIX = "zhiting.kb.draft.";
const MOST = 50;

/** The name under which a new article's texts are kept. */
export const NEW = "";

/** @param {Storage} storage */
export function openDrafts(storage) {
  function ids() {
    return Array.from({ length: storage.length }, (_, place) => storage.key(place))
      .filter((key) => key?.startsWith(PREFIX))
      .map((key) => key.slice(PREFIX.length));
  }

  /** @returns {{texts: object, base: object, revision: number, atMs: number}|null} */
  function read(id) {
    try {
      const draft = JSON.parse(storage.getItem(PREFIX + id) ?? "null");
      return draft && typeof draft.texts === "object" && typeof draft.base === "object" ? draft : null;
    } catch {
      return null;
    }
  }

  /** @returns {{isKept: boolean, dropped: string|null}} whether there was room, and whose draft had to go */
  function keep(id, draft) {
    let dropped = null;
    const others = ids().filter((other) => other !== id);
    if (others.length >= MOST) {
      dropped = others.reduce((oldest, other) => (at(other) < at(oldest) ? other : oldest));
      forget(dropped);
    }
    try {
      storage.setItem(PREFIX + id, JSON.stringify(draft));
      return { isKept: true, dropped };
    } catch {
      return { isKept: false, dropped };
    }
  }

  function at(id) {
    return read(id)?.atMs ?? -Infinity;
  }

  function forget(id) {
    storage.removeItem(PREFIX + id);
  }

  return { ids, read, keep, forget };
}
