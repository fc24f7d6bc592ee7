// Which line of a call is meant by a place in its time.
//
// In: lines in the order of media time, seconds. Out: one of the lines. Not known here: where it is drawn.

/** The line that is being said then, the later one where two are; else the one that begins nearest.
 * @returns {object|null} null where there are no lines */
export function lineAt(lines, seconds) {
  const said = lines.filter((line) => line.start_s <= seconds && seconds <= line.end_s);
  if (said.length > 0) return said.reduce((a, b) => (b.start_s >= a.start_s ? b : a));
  const distance = (line) => Math.abs(line.start_s - seconds);
  return lines.reduce((a, b) => (a === null || distance(b) < distance(a) ? b : a), null);
}
