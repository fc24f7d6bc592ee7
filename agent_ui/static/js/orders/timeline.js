// What happened to an order, line by line: steps, comments and files in one order of time.
//
// In: history, comments and attachments as the server tells them. Out: lines, oldest first.
// Not known here: words, the document.

const SAID_ELSEWHERE = ["state", "order_id", "created_by", "created_at", "is_due_provisional", "resumes_to", "left_s",
  "returns", "reworks", "dispatched_at", "answered_at", "closed_at", "merged_into", "call_id", "operator_id", "answer",
  "satisfaction"];

/** @typedef {{key: string, at: string, author: string, kind: "step"|"comment"|"file", action: string, text: string,
 *   changes: Array<{name: string, before: any, after: any}>}} Line */

/** @returns {Array<Line>} */
export function timelineOf({ history, comments, attachments }) {
  const steps = history.map((step) => ({
    key: `v${step.version}`,
    at: step.at,
    author: step.author,
    kind: "step",
    action: step.action,
    text: textOf(step),
    changes: changesOf(step),
  }));
  const said = comments.map((comment) => ({
    key: `c${comment.comment_id}`,
    at: comment.at,
    author: comment.author,
    kind: "comment",
    action: "commented",
    text: comment.text,
    changes: [],
  }));
  const files = attachments.flatMap((file) =>
    file.steps.map((step, place) => ({
      key: `a${file.attachment_id}.${place}`,
      at: step.at,
      author: step.author,
      kind: "file",
      action: step.action,
      text: file.name,
      changes: [],
    })),
  );
  return [...steps, ...said, ...files].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What was said with a step: the reason, the answer, or the order in which it goes on. */
function textOf({ action, note, changes }) {
  if (action === "answer" || action === "answer_at_once") return changes.answer?.[1] ?? "";
  if (action === "merge") return [changes.merged_into?.[1] ?? "", note].filter(Boolean).join(" · ");
  return note;
}

/** The fields that a reader wants to see; of a beginning none, as all of it is new. */
function changesOf({ action, changes }) {
  if (action === "created") return [];
  return Object.entries(changes)
    .filter(([name]) => !SAID_ELSEWHERE.includes(name))
    .map(([name, [before, after]]) => ({ name, before, after }));
}
