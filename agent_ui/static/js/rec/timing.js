// When each character of a line is said.
//
// In: a line as people read it, and words as the engine heard them, with times. Out: a time for every character.
// Not known here: the document, the player.
//
// What is read differs from what was heard: numbers are written in digits, commas were added, a person put words
// right. What both have in common keeps its time; what lies between goes evenly from one to the next.

/** @typedef {{start: Float64Array, end: Float64Array}} Times of each character, in seconds */

/** @param {{text: string, start_s: number, end_s: number, words: Array<object>}} segment
 * @returns {Times|null} null where no word has a time */
export function timesOf(segment) {
  const heard = heardOf(segment.words);
  if (heard.length === 0) return null;
  const characters = Array.from(segment.text);
  const partner = pairs(
    characters,
    heard.map(({ text }) => text),
  );
  const start = new Float64Array(characters.length);
  const end = new Float64Array(characters.length);
  let place = 0;
  let at = heard[0].start;
  while (place < characters.length) {
    if (partner[place] >= 0) {
      const one = heard[partner[place]];
      start[place] = Math.max(at, one.start);
      at = end[place] = Math.max(start[place], one.end);
      place += 1;
      continue;
    }
    let next = place;
    while (next < characters.length && partner[next] < 0) next += 1;
    const until = next < characters.length ? heard[partner[next]].start : heard.at(-1).end;
    fill(characters, start, end, { from: place, to: next, at, until: Math.max(at, until) });
    at = end[next - 1];
    place = next;
  }
  return { start, end };
}

/** Share a stretch of time among characters; marks between words take none. */
function fill(characters, start, end, { from, to, at, until }) {
  const spoken = characters.slice(from, to).filter(isSpoken).length;
  const each = spoken > 0 ? (until - at) / spoken : 0;
  let now = at;
  for (let place = from; place < to; place += 1) {
    start[place] = now;
    if (isSpoken(characters[place])) now += each;
    end[place] = now;
  }
}

const isSpoken = (character) => /[\p{L}\p{N}]/u.test(character);

/** The characters of words, each with its share of its word's time. */
function heardOf(words) {
  return words.flatMap(({ text, start_s: start, end_s: end }) => {
    const characters = Array.from(text.toLowerCase()).filter(isSpoken);
    const each = (end - start) / Math.max(1, characters.length);
    return characters.map((one, place) => ({
      text: one,
      start: start + place * each,
      end: start + (place + 1) * each,
    }));
  });
}

/** The longest common subsequence of two lists: for each of `ours` its place among `theirs`, -1 for none. */
function pairs(ours, theirs) {
  const width = theirs.length + 1;
  const longest = new Uint16Array((ours.length + 1) * width);
  const isSame = (a, b) => ours[a].toLowerCase() === theirs[b];
  for (let a = ours.length - 1; a >= 0; a -= 1) {
    for (let b = theirs.length - 1; b >= 0; b -= 1) {
      longest[a * width + b] = isSame(a, b)
        ? longest[(a + 1) * width + b + 1] + 1
        : Math.max(longest[(a + 1) * width + b], longest[a * width + b + 1]);
    }
  }
  const found = new Int32Array(ours.length).fill(-1);
  for (let a = 0, b = 0; a < ours.length && b < theirs.length; ) {
    if (isSame(a, b)) found[a++] = b++;
    else if (longest[(a + 1) * width + b] >= longest[a * width + b + 1]) a += 1;
    else b += 1;
  }
  return found;
}

/** The character that is said at a moment: the last that has begun; -1 before the first, and after the last. */
export function characterAt({ start, end }, seconds) {
  if (start.length === 0 || seconds >= end.at(-1)) return -1;
  let low = -1;
  for (let high = start.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if (start[middle] <= seconds) low = middle;
    else high = middle;
  }
  return low;
}

/** Where the next character begins after a moment, or with `by` -1 the one before it; null at the line's end. */
export function stepFrom({ start }, seconds, by) {
  const LITTLE_S = 0.02;
  if (by > 0) return start.find((one) => one > seconds + LITTLE_S) ?? null;
  // Whoever steps back while it plays means the character before the one that is being said.
  return start.findLast((one) => one < seconds - 0.25) ?? null;
}
