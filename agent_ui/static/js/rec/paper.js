// The transcript of one file as the page holds it: lines, what is searched in it, which line is being said.
//
// In: transcripts of the server, typed words, moments. Out: the same with hits; lines cut where they are marked.
// Not known here: the document, the player, the server.

import { pieces } from "../format.js";

/** @typedef {{id: string, start: number, end: number}} Hit counts characters of a line */

/** @returns the state before anything was read */
export const noPaper = () => ({ paper: null, error: null, query: "", hits: [], at: -1 });

/** @param {{type: "came", paper: object} | {type: "failed", error: Error} | {type: "typed", query: string}
 *   | {type: "went", by: number} | {type: "left"}} event */
export function reducePaper(state, event) {
  switch (event.type) {
    case "came": {
      const paper = { ...event.paper, segments: sameLines(state.paper, event.paper) };
      const hits = hitsIn(paper.segments, state.query);
      return { ...state, paper, error: null, hits, at: Math.min(state.at, hits.length - 1) };
    }
    case "failed":
      return { ...state, error: event.error };
    case "typed": {
      const hits = hitsIn(state.paper?.segments ?? [], event.query);
      return { ...state, query: event.query, hits, at: hits.length > 0 ? 0 : -1 };
    }
    case "went": {
      const { length } = state.hits;
      return length === 0 ? state : { ...state, at: (state.at + event.by + length) % length };
    }
    default:
      return state;
  }
}

/** Lines that did not change stay the same objects. */
function sameLines(before, after) {
  const old = new Map((before?.segments ?? []).map((one) => [one.segment_id, one]));
  return after.segments.map((one) => {
    const known = old.get(one.segment_id);
    return known && JSON.stringify(known) === JSON.stringify(one) ? known : one;
  });
}

/** Where words occur, however they are capitalised.
 * @returns {Array<Hit>} in order */
export function hitsIn(segments, query) {
  const wanted = plain(query.trim());
  if (wanted.length === 0) return [];
  return segments.flatMap(({ segment_id: id, text }) => {
    const characters = plain(text);
    const found = [];
    for (let at = 0; at + wanted.length <= characters.length; at += 1) {
      if (!wanted.every((one, place) => characters[at + place] === one)) continue;
      found.push({ id, start: at, end: at + wanted.length });
      at += wanted.length - 1;
    }
    return found;
  });
}

/** Characters for comparing: small letters, half width; never more or fewer than there are. */
function plain(text) {
  return Array.from(text, (one) => {
    const folded = one.normalize("NFKC").toLowerCase();
    return Array.from(folded).length === 1 ? folded : one;
  });
}

/** A line cut at the edges of its corrections and hits.
 * @param {Array<{start: number, end: number, isCurrent: boolean}>} hits
 * @returns {Array<{text: string, heard: string|null, hit: "hit"|"current"|null}>} */
export function cutAtHits(text, corrections, hits) {
  const cut = [];
  let at = 0;
  for (const piece of pieces(text, corrections)) {
    const characters = Array.from(piece.text);
    const edges = new Set([0, characters.length]);
    for (const { start, end } of hits) {
      for (const edge of [start - at, end - at]) if (edge > 0 && edge < characters.length) edges.add(edge);
    }
    const ordered = [...edges].sort((a, b) => a - b);
    ordered.slice(1).forEach((end, place) => {
      const start = ordered[place];
      const hit = hits.find((one) => one.start <= at + start && at + end <= one.end);
      cut.push({
        text: characters.slice(start, end).join(""),
        heard: piece.heard,
        hit: hit ? (hit.isCurrent ? "current" : "hit") : null,
      });
    });
    at += characters.length;
  }
  return cut.filter(({ text: one }) => one !== "");
}

/** The hits by line, the one that was gone to marked.
 * @returns {Map<string, Array<{start: number, end: number, isCurrent: boolean}>>} */
export function hitsByLine({ hits, at }) {
  const found = new Map();
  hits.forEach(({ id, start, end }, place) => {
    if (!found.has(id)) found.set(id, []);
    found.get(id).push({ start, end, isCurrent: place === at });
  });
  return found;
}

/** The lines that are being said at a moment, and the one that was begun last, also in a pause after it.
 * @returns {{now: Array<string>, last: string|null}} */
export function spokenAt(segments, seconds) {
  const begun = segments.filter(({ start_s: start }) => start <= seconds);
  const now = begun.filter(({ end_s: end }) => seconds < end).map(({ segment_id: id }) => id);
  return { now, last: begun.at(-1)?.segment_id ?? null };
}

/** The line a person changed it to, or the recognised one; what it is called in the list of changes.
 * @returns {"removed"|"edited"|"unclear"|"heard"} */
export function lineState(segment) {
  if (segment.edit) return segment.text === "" ? "removed" : "edited";
  return segment.is_unclear ? "unclear" : "heard";
}

/** What is drawn of a line: one that was taken away still shows what was recognised. */
export function shownText(segment) {
  return lineState(segment) === "removed" ? segment.edit.recognised : segment.text;
}
