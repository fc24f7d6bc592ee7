// Files that somebody chooses or drops, folders searched to their depths.
//
// In: a file field, or what was dropped. Out: files, each with its path within what was chosen.
// Not known here: which of them are wanted.

/** @typedef {{file: File, path: string, isFromFolder: boolean}} Found */

/** @param {FileList} list of a field; a folder's files know their paths
 * @returns {Array<Found>} */
export function filesOfField(list) {
  return Array.from(list, (file) => ({
    file,
    path: file.webkitRelativePath || file.name,
    isFromFolder: file.webkitRelativePath !== "",
  }));
}

/** @param {DataTransfer} dropped
 * @returns {Promise<Array<Found>>} */
export async function filesDropped(dropped) {
  // The entries must be taken at once: what was dropped is gone when the event is over.
  const entries = Array.from(dropped.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const found = [];
  for (const entry of entries) await gather(entry, entry.name, entry.isDirectory, found);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function gather(entry, path, isFromFolder, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file !== null) found.push({ file, path, isFromFolder });
    return;
  }
  for (const one of await entriesOf(entry)) await gather(one, `${path}/${one.name}`, isFromFolder, found);
}

/** A browser hands over a folder's entries some at a time, and none at the end. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  while (true) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
