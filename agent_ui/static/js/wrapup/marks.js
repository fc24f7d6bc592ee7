// How sure a wrap-up is, as a person reads it, and what is to be looked at next. Pure.
//
// In: a wrap-up as the wire has it (null: nothing was drafted yet). Out: marks, names of fields, short texts.
// Not known here: the document, words of a language.

/** @typedef {import("../protocol.js").WorkOrderOnScreen} WorkOrder */
/** @typedef {import("../protocol.js").FieldOnScreen} Field */

/** Fields in the order in which they stand in the form. */
export const FIELDS = Object.freeze([
  "kind",
  "urgency",
  "caller_name",
  "caller_phone",
  "district",
  "place",
  "category",
  "department",
  "summary",
  "detail",
]);
export const KINDS = Object.freeze(["咨询", "求助", "投诉", "建议", "举报"]);
export const URGENCIES = Object.freeze(["普通", "紧急", "特急"]);
/** Without these no order can be made. */
const NEEDED = Object.freeze(["kind", "summary"]);
const EMPTY = Object.freeze({
  value: "",
  drafted: "",
  confidence: 0,
  spans: [],
  is_unsure: false,
  set_by: null,
  set_at: null,
});
/** From here on nobody can change what the order says. */
const OPEN_STATES = Object.freeze(["draft", "accepted", "returned"]);

/** @returns {Field} */
export function fieldOf(workOrder, name) {
  return workOrder?.[name] ?? EMPTY;
}

/** @returns {"set"|"unsure"|"line"|"sure"|"none"} what to say of a field: a person set it, somebody should look, it is
 * the number of the line, it was said clearly, it was not said */
export function markOf(workOrder, name) {
  const field = fieldOf(workOrder, name);
  if (field.set_by !== null) return "set";
  if (field.value === "") return "none";
  if (field.is_unsure) return "unsure";
  return name === "caller_phone" && field.spans.length === 0 ? "line" : "sure";
}

/** @returns {string[]} fields at which somebody should look: unsure ones, and needed ones that are empty */
export function openFields(workOrder) {
  return FIELDS.filter((name) => {
    const mark = markOf(workOrder, name);
    return mark === "unsure" || (NEEDED.includes(name) && fieldOf(workOrder, name).value === "");
  });
}

/** The next field to look at after that one, around the end; null where there is none.
 * @param {string|null} from */
export function nextOpen(workOrder, from) {
  const open = openFields(workOrder);
  const at = from === null ? -1 : FIELDS.indexOf(from);
  return open.find((name) => FIELDS.indexOf(name) > at) ?? open.find((name) => name !== from) ?? null;
}

/** What a field has to be given to be again what it is now: null where it holds what was drafted. */
export function wishOf(workOrder, name) {
  const field = fieldOf(workOrder, name);
  if (field.set_by === null) return null;
  return name === "department" ? (workOrder.department_id ?? "") : field.value;
}

/** Whether the form can be changed: until its order is on the way. */
export function isOpen(orderState) {
  return orderState === null || OPEN_STATES.includes(orderState);
}

/** Where something was said, in UTF-16 units: the wire counts characters.
 * @returns {{start: number, end: number}|null} null where the text is another one by now */
export function unitsOf(text, { start, end }) {
  const characters = Array.from(text);
  if (end > characters.length || start >= end) return null;
  const before = characters.slice(0, start).join("").length;
  return { start: before, end: before + characters.slice(start, end).join("").length };
}

/** Units of the directory to choose from: those that were drafted, then those that hold the words.
 * @param {Array<{unit_id, name, kind, parent_id}>} units
 * @returns {Array<{id: string, name: string, choice: object|null}>} */
export function choicesOf(units, choices, words, limit = 40) {
  const byId = new Map(units.map((unit) => [unit.unit_id, unit]));
  const drafted = choices.filter(({ department_id: id }) => id !== null && byId.has(id));
  const first = drafted.map((choice) => ({ id: choice.department_id, name: nameOf(byId, choice.department_id), choice }));
  const known = new Set(first.map(({ id }) => id));
  const others = units
    .filter((unit) => unit.kind !== "中心" && !known.has(unit.unit_id))
    .map((unit) => ({ id: unit.unit_id, name: nameOf(byId, unit.unit_id), choice: null }));
  const isWanted = ({ name }) => words.split(/\s+/).every((word) => isWithin(name, word));
  return [...first, ...others].filter(isWanted).slice(0, limit);
}

/** A unit's name, with its district's before it where that does not say so itself. */
function nameOf(byId, id) {
  const unit = byId.get(id);
  const above = byId.get(unit.parent_id);
  const isAlone = !above || above.kind === "中心" || unit.name.startsWith(above.name);
  return isAlone ? unit.name : `${above.name} ${unit.name}`;
}

/** Whether the characters stand in the name in that order: 住建局 finds 市住房和城乡建设局. */
function isWithin(name, word) {
  let at = 0;
  for (const sign of word) {
    at = name.indexOf(sign, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
