// The fields of an article, what differs between two versions of them, and what of three belongs together.
//
// In: articles as the server tells them, values of fields as texts. Out: contents, names of fields.
// Not known here: the document, the server.

/** Every field in the order in which it is edited. A `list` has one entry a line in its text field. */
export const FIELDS = [
  { name: "title", kind: "line", most: 200 },
  { name: "body", kind: "text", most: 20_000 },
  { name: "questions", kind: "list" },
  { name: "keywords", kind: "list" },
  { name: "category", kind: "word", most: 500 },
  { name: "department", kind: "word", most: 500 },
  { name: "district", kind: "word", most: 500 },
  { name: "source", kind: "line", most: 500 },
  { name: "effective_from", kind: "day" },
  { name: "expires_on", kind: "day" },
];

export const MOST_QUESTIONS = 200;
const MOST_QUESTION_CHARS = 500;

/** Texts of the fields of a new article. */
export function blankTexts() {
  return Object.fromEntries(FIELDS.map(({ name }) => [name, ""]));
}

/** Texts of the fields of an article. */
export function textsOf(article) {
  return Object.fromEntries(
    FIELDS.map(({ name, kind }) => {
      const value = article[name];
      return [name, kind === "list" ? (value ?? []).join("\n") : (value ?? "")];
    }),
  );
}

/** What an article says, as the server takes it, out of the texts of its fields. */
export function contentOf(texts) {
  return Object.fromEntries(
    FIELDS.map(({ name, kind }) => {
      const text = texts[name].replaceAll("\r\n", "\n").trim();
      if (kind === "list") return [name, linesOf(text)];
      return [name, kind === "day" ? text || null : text];
    }),
  );
}

/** Names of the fields in which two versions (texts) say something different. */
export function differing(texts, others) {
  const [one, other] = [contentOf(texts), contentOf(others)];
  return FIELDS.map(({ name }) => name).filter(
    (name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]),
  );
}

/** Fields in which yours and theirs differ, and whose change it was: `both` has to be decided by a person. */
export function conflictsOf(base, theirs, yours) {
  const byThem = new Set(differing(base, theirs));
  const byYou = new Set(differing(base, yours));
  return differing(theirs, yours).map((name) => ({
    name,
    by: byThem.has(name) && byYou.has(name) ? "both" : byYou.has(name) ? "you" : "them",
  }));
}

/** Their version with those fields of yours that were chosen. */
export function merged(theirs, yours, choices) {
  const taken = Object.entries(choices).filter(([, whose]) => whose === "yours");
  return { ...theirs, ...Object.fromEntries(taken.map(([name]) => [name, yours[name]])) };
}

/** The first thing that keeps these texts from being saved: `{field, key}`, or null. */
export function faultOf(texts) {
  const content = contentOf(texts);
  if (content.title === "") return { field: "title", key: "fault.title" };
  if (content.body === "") return { field: "body", key: "fault.body" };
  if (content.questions.length > MOST_QUESTIONS) return { field: "questions", key: "fault.questions" };
  if (content.questions.some((one) => Array.from(one).length > MOST_QUESTION_CHARS))
    return { field: "questions", key: "fault.question" };
  const { effective_from: from, expires_on: until } = content;
  if (from && until && until <= from) return { field: "expires_on", key: "fault.days" };
  return null;
}

/** `valid`, `soon` (within 30 days), `expired`, `later` or `forever`, on an ISO day. */
export function validityOf({ effective_from: from, expires_on: until }, onDay) {
  if (until && until <= onDay) return "expired";
  if (from && from > onDay) return "later";
  if (!until) return "forever";
  return until <= addDays(onDay, 30) ? "soon" : "valid";
}

/** @returns {string} the ISO day so many days later */
export function addDays(isoDay, days) {
  const [year, month, date] = isoDay.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date + days)).toISOString().slice(0, 10);
}

function linesOf(text) {
  const lines = text.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}
