// Pointing at words of the transcript: their lines get a mark, and the words themselves where the browser can do that.
//
// In: rows of lines, and spans of characters in them. Out: marks that move nothing.
// Not known here: why somebody points there.

import { setAttribute } from "./dom.js";
import { unitsOf } from "./wrapup/marks.js";

const NAME = "source";

/** @param {Array<{segment_id: string, start: number, end: number}>} spans */
export function pointAt(list, spans) {
  const meant = new Set(spans.map((span) => span.segment_id));
  const ranges = [];
  for (const row of list.children) {
    const isMeant = meant.has(row.segment?.segment_id);
    setAttribute(row, "data-pointed", isMeant ? "true" : null);
    if (!isMeant || row.dataset.editing) continue;
    for (const span of spans) if (span.segment_id === row.segment.segment_id) ranges.push(rangeOf(row.lastChild, span));
  }
  if (!globalThis.CSS?.highlights) return;
  CSS.highlights.set(NAME, new Highlight(...ranges.filter(Boolean)));
}

/** The words of a span, across the pieces that a line is drawn in. */
function rangeOf(text, span) {
  const units = unitsOf(text.textContent, span);
  if (units === null) return null;
  const range = document.createRange();
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  let before = 0;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const after = before + node.length;
    if (units.start >= before && units.start < after) range.setStart(node, units.start - before);
    if (units.end > before && units.end <= after) {
      range.setEnd(node, units.end - before);
      return range;
    }
    before = after;
  }
  return null;
}
