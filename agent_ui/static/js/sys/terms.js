// Terms of the word list: what is typed, what keeps it from being saved, what is found.
//
// In: terms of the server, texts of fields. Out: terms, faults, how often a word is said as a word for people.
// Not known here: the document, the server.

/** How often a word is said, beside others. */
export const WEIGHTS = [
  { weight: 0.1, key: "weight.rarely" },
  { weight: 0.3, key: "weight.seldom" },
  { weight: 1, key: "weight.usual" },
  { weight: 3, key: "weight.often" },
  { weight: 10, key: "weight.veryOften" },
];
const LONGEST = 16;
const MOST_HEARD = 20;

export const blankTerm = () => ({ term: "", kind: "", weight: "1", heard: "" });

/** The fields of a term as texts; what it is misheard as stands one to a line. */
export function textsOf({ term, kind, weight, heard }) {
  return { term, kind, weight: String(weight), heard: heard.join("\n") };
}

/** A term of texts. */
export function termOf(texts) {
  const heard = texts.heard.split(/[\n,，、|]/).map((one) => one.trim());
  return {
    term: texts.term.trim(),
    kind: texts.kind.trim() || "词库",
    weight: Number(texts.weight),
    heard: [...new Set(heard.filter((one) => one !== ""))],
  };
}

/** What keeps a term from being saved; `others` are those that it must not replace.
 * @returns {{field: string, key: string, values?: object}|null} */
export function faultOf(texts, others = []) {
  const { term, heard } = termOf(texts);
  const length = Array.from(term).length;
  if (length < 2 || length > LONGEST || /\s/.test(term)) return { field: "term", key: "fault.term" };
  if (others.some((one) => one.term === term)) return { field: "term", key: "fault.termThere" };
  const wrong = heard.find((one) => Array.from(one).length < 2 || one === term);
  if (wrong !== undefined) return { field: "heard", key: "fault.heard", values: { word: wrong } };
  if (heard.length > MOST_HEARD) return { field: "heard", key: "fault.heardMany" };
  return null;
}

/** How often a word is said, for people; a number that is none of the usual is named. */
export function weightText(weight, t) {
  const known = WEIGHTS.find((one) => one.weight === weight);
  if (known) return t(known.key);
  return t("weight.other", { weight, near: t(nearest(weight).key) });
}

function nearest(weight) {
  const distance = (one) => Math.abs(Math.log(one.weight) - Math.log(weight));
  return WEIGHTS.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

/** Terms in which what was typed occurs, also in what they are misheard as. */
export function foundTerms(terms, { q = "", kind = "" }) {
  const typed = q.trim();
  return terms.filter(
    (one) =>
      (kind === "" || one.kind === kind) && [one.term, ...one.heard].some((text) => text.includes(typed)),
  );
}

/** The kinds that occur, most frequent first.
 * @returns {Array<{kind: string, count: number}>} */
export function kindsOf(terms) {
  const counts = new Map();
  for (const { kind } of terms) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count);
}

/** What becomes of the list when it is replaced.
 * @returns {{added: number, gone: number, changed: number}} */
export function exchangeOf(before, after) {
  const was = new Map(before.map((one) => [one.term, JSON.stringify(one)]));
  const is = new Map(after.map((one) => [one.term, JSON.stringify(one)]));
  return {
    added: [...is.keys()].filter((term) => !was.has(term)).length,
    gone: [...was.keys()].filter((term) => !is.has(term)).length,
    changed: [...is].filter(([term, text]) => was.has(term) && was.get(term) !== text).length,
  };
}

/** The sentence of a trial cut where it was put right, in the form that transcripts have. */
export function correctionsOf({ corrections }) {
  return corrections.map(({ start, heard, term }) => ({ start, heard, written: term }));
}
