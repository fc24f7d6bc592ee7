// The departments, found by what is typed.
//
// In: the directory. Out: names with the district before them, units by identifier. Not known here: the document.

/** @param {Array<{unit_id: string, name: string, kind: string, parent_id: string|null}>} units */
export function directoryOf(units) {
  const byId = new Map(units.map((unit) => [unit.unit_id, unit]));
  const nameOf = (id) => {
    const unit = byId.get(id);
    if (!unit) return id ?? "";
    const parent = byId.get(unit.parent_id);
    // 普陀区 普陀区教育局 says one thing twice.
    const isTold = !parent || parent.kind === "中心" || unit.name.startsWith(parent.name);
    return isTold ? unit.name : `${parent.name} ${unit.name}`;
  };
  const handling = units.filter(({ kind }) => kind !== "中心");
  const names = handling.map(({ unit_id: id }) => ({ id, name: nameOf(id) }));

  /** Units in which all that is typed occurs, those that begin so first. */
  function find(typed, most = 8) {
    const words = typed.trim().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const found = names.filter(({ id, name }) => words.every((word) => name.includes(word) || id === word.toUpperCase()));
    const rank = ({ name }) => (name.startsWith(words[0]) ? 0 : 1);
    return found.sort((a, b) => rank(a) - rank(b)).slice(0, most);
  }

  /** Who sends orders out. */
  const centre = units.find(({ kind }) => kind === "中心")?.name ?? "";

  return { centre, nameOf, find, has: (id) => byId.has(id), names };
}
