// What was taken out and put in between two texts, by characters, so that people can read it.
//
// In: two texts. Out: pieces that are the same, taken out or put in. Not known here: what the texts are.
// Myers, "An O(ND) difference algorithm" (1986), with a bound: texts with little in common are told as a
// whole, and shreds of sameness between two changes are told as changed.

const MOST_STEPS = 800;
const SHRED = 2;

/** @typedef {{kind: "same"|"out"|"in", text: string}} Piece */

/** @returns {Array<Piece>} pieces in order; what was taken out stands before what was put in */
export function diff(before, after) {
  const a = Array.from(before);
  const b = Array.from(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const middle = compared(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return tidied([
    { kind: "same", text: a.slice(0, head).join("") },
    ...middle,
    { kind: "same", text: a.slice(a.length - tail).join("") },
  ]);
}

/** Long stretches of sameness cut down to so many characters beside each change. */
export function shortened(pieces, kept = 24) {
  return pieces.map((piece, place) => {
    const characters = Array.from(piece.text);
    if (piece.kind !== "same") return piece;
    const [isFirst, isLast] = [place === 0, place === pieces.length - 1];
    const most = (isFirst ? 0 : kept) + (isLast ? 0 : kept);
    if (characters.length <= most + 8) return piece;
    const begin = isFirst ? "" : characters.slice(0, kept).join("");
    const end = isLast ? "" : characters.slice(-kept).join("");
    return { kind: "same", text: `${begin}…${end}` };
  });
}

function compared(a, b) {
  const whole = [
    { kind: "out", text: a.join("") },
    { kind: "in", text: b.join("") },
  ];
  if (a.length === 0 || b.length === 0) return whole;
  const trace = walk(a, b);
  if (trace === null) return whole;
  const steps = [];
  let [x, y] = [a.length, b.length];
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const reach = trace[d];
    const k = x - y;
    const isDown = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const before = isDown ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : reach.get(before);
    const fromY = fromX - before;
    while (x > Math.max(fromX, 0) && y > Math.max(d === 0 ? 0 : fromY, 0)) {
      x -= 1;
      y -= 1;
      steps.push({ kind: "same", text: a[x] });
    }
    if (d === 0) break;
    if (isDown) steps.push({ kind: "in", text: b[(y -= 1)] });
    else steps.push({ kind: "out", text: a[(x -= 1)] });
  }
  return steps.reverse();
}

/** For each number of changes, how far each diagonal was reached before them; null beyond the bound. */
function walk(a, b) {
  const trace = [];
  let reach = new Map([[1, 0]]);
  for (let d = 0; d <= MOST_STEPS; d += 1) {
    trace.push(reach);
    const next = new Map(reach);
    for (let k = -d; k <= d; k += 2) {
      const isDown = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = isDown ? reach.get(k + 1) : reach.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    reach = next;
  }
  return null;
}

/** Neighbours of one kind as one piece, shreds swallowed, out before in, nothing empty. */
function tidied(pieces) {
  const groups = [];
  for (const piece of pieces) {
    if (piece.text === "") continue;
    const isSame = piece.kind === "same";
    const last = groups.at(-1);
    if (!last || last.isSame !== isSame) groups.push({ isSame, same: "", out: "", in: "" });
    groups.at(-1)[piece.kind] += piece.text;
  }
  const told = [];
  groups.forEach((group, place) => {
    const isShred =
      group.isSame &&
      place > 0 &&
      place < groups.length - 1 &&
      Array.from(group.same).length <= SHRED &&
      !group.same.includes("\n");
    const last = told.at(-1);
    if (isShred) {
      last.out += group.same;
      last.in += group.same;
    } else if (!group.isSame && last && !last.isSame) {
      last.out += group.out;
      last.in += group.in;
    } else told.push({ ...group });
  });
  return told
    .flatMap((group) => [
      { kind: "same", text: group.same },
      { kind: "out", text: group.out },
      { kind: "in", text: group.in },
    ])
    .filter(({ text }) => text !== "");
}
