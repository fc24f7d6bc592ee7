// The content of an order as texts of a form, and what becomes of it when two write at once.
//
// In: an order's content, what is typed. Out: texts, contents, what the other one wrote. Not known here: the document.

export const FIELDS = ["type", "urgency", "summary", "detail", "caller_name", "caller_phone", "district", "address",
  "category", "department_id"];
export const TYPES = ["咨询", "求助", "投诉", "建议", "举报"];
export const URGENCIES = ["普通", "紧急", "特急"];

export const blankTexts = () => ({ ...Object.fromEntries(FIELDS.map((name) => [name, ""])), type: "求助", urgency: "普通" });

export const textsOf = (content) => Object.fromEntries(FIELDS.map((name) => [name, content[name] ?? ""]));

export const contentOf = (texts) => ({ ...texts, department_id: texts.department_id || null });

export const differing = (base, texts) => FIELDS.filter((name) => base[name].trim() !== texts[name].trim());

/** Two wrote at once: what only the other one changed is taken over, what both changed stays as it is typed here and
 * is told.
 * @returns {{texts: object, clashes: Array<{name: string, theirs: string}>, taken: Array<string>}} */
export function together(base, theirs, mine) {
  const changedByThem = differing(base, theirs);
  const changedByMe = differing(base, mine);
  const clashes = changedByThem.filter((name) => changedByMe.includes(name) && theirs[name].trim() !== mine[name].trim());
  const taken = changedByThem.filter((name) => !changedByMe.includes(name));
  const texts = { ...mine, ...Object.fromEntries(taken.map((name) => [name, theirs[name]])) };
  return { texts, clashes: clashes.map((name) => ({ name, theirs: theirs[name] })), taken };
}
