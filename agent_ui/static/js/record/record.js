// The record of one call as the page shows it.
//
// In: the server's record. Out: a transcript as the reader of recordings knows it; rows of what stands beside it.
// Not known here: the document, the server.

const USED = ["used", "copied", "helpful", "pinned", "wrong", "dismissed"];

/** Lines with what people changed in them, those that were taken away as well, in the order of media time. */
export function paperOf({ snapshot }) {
  const edits = new Map(snapshot.edits.map((edit) => [edit.original.segment_id, edit]));
  const told = (edit) => ({ recognised: edit.original.text, author: edit.by ?? "", at: edit.at });
  const lines = snapshot.segments.map((line) => {
    const edit = edits.get(line.segment_id);
    return edit ? { ...line, edit: told(edit) } : line;
  });
  const there = new Set(snapshot.segments.map((line) => line.segment_id));
  for (const [id, edit] of edits) {
    if (!there.has(id)) lines.push({ ...edit.original, text: "", edit: told(edit) });
  }
  lines.sort((a, b) => a.start_s - b.start_s || a.segment_id.localeCompare(b.segment_id));
  return { file: snapshot.call.call_id, seconds: snapshot.call.seconds, notes: [], segments: lines };
}

/** Every card of the call with what was done with it, those that helped first.
 * @returns {Array<{articleId: string, title: string, department: string, marks: Array<string>}>} */
export function cardsOf({ snapshot }) {
  const marks = new Map();
  for (const { article_id: id, mark } of snapshot.marks) marks.set(id, [...(marks.get(id) ?? []), mark]);
  const rows = snapshot.history.map(({ card }) => ({
    articleId: card.article_id,
    title: card.title,
    department: card.department,
    marks: USED.filter((mark) => (marks.get(card.article_id) ?? []).includes(mark)),
  }));
  const rank = ({ marks: given }) => (given.some((mark) => USED.indexOf(mark) < 3) ? 0 : 1);
  return rows.sort((a, b) => rank(a) - rank(b));
}

const FIELDS = ["kind", "urgency", "caller_name", "caller_phone", "district", "place", "category", "department", "summary", "detail"];

/** What the wrap-up says, field by field; nothing where there is none.
 * @returns {Array<{name: string, text: string}>} */
export function wrapupOf({ snapshot }) {
  const order = snapshot.work_order;
  if (!order) return [];
  const text = (value) => (value !== null && typeof value === "object" ? value.value : value);
  return FIELDS.map((name) => ({ name, text: text(order[name]) ?? "" })).filter((row) => row.text !== "");
}

/** "1.2 MB" */
export function size(bytes) {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
