// The boxes of the page of work orders: which orders lie together, for whom.
//
// In: what somebody may do, counts of the server. Out: boxes with their questions and numbers.
// Not known here: the document, the server.

const AT_DEPARTMENT = ["dispatched", "handling"];
const OVER = ["closed", "merged"];

const BOXES = {
  all: { question: {}, states: null },
  drafts: { question: { state: ["draft"] }, states: ["draft"] },
  todo: { question: { state: ["accepted", "returned"] }, states: ["accepted", "returned"] },
  new: { question: { state: ["dispatched"], by_due: true }, states: ["dispatched"] },
  handling: { question: { state: ["handling"], by_due: true }, states: ["handling"] },
  work: {
    question: { state: [...AT_DEPARTMENT, "suspended"], by_due: true },
    states: [...AT_DEPARTMENT, "suspended"],
  },
  soon: { question: { due_soon: true, by_due: true }, count: "due_soon", level: "look" },
  overdue: { question: { overdue: true, by_due: true }, count: "overdue", level: "bad" },
  held: { question: { state: ["suspended"] }, states: ["suspended"] },
  answered: { question: { state: ["answered"] }, states: ["answered"] },
  followed: { question: { state: ["followed_up"] }, states: ["followed_up"] },
  done: { question: { state: OVER }, states: OVER, isQuiet: true },
  past: {
    question: { state: ["answered", "followed_up", ...OVER] },
    states: ["answered", "followed_up", ...OVER],
    isQuiet: true,
  },
};
const OF_PART = {
  centre: ["todo", "drafts", "work", "soon", "overdue", "answered", "followed", "done", "all"],
  department: ["new", "handling", "soon", "overdue", "held", "past"],
  operator: ["all", "drafts", "todo", "work", "answered", "done"],
};

/** @returns {"centre"|"operator"|"department"|null} in what part somebody works here */
export function partOf(scopes) {
  if (scopes.includes("calls:all")) return "centre";
  if (scopes.includes("calls:own")) return "operator";
  return scopes.includes("orders:department") ? "department" : null;
}

/** The names of the boxes of a part, in their order. */
export const boxesOf = (part) => OF_PART[part];

/** What the server is asked for a box. */
export const questionOf = (name) => BOXES[name].question;

/** How many lie in a box.
 * @param {{states: Record<string, number>, overdue: number, due_soon: number}} counts */
export function countOf(name, counts) {
  const { states, count } = BOXES[name];
  if (count) return counts[count];
  return (states ?? Object.keys(counts.states)).reduce((sum, state) => sum + (counts.states[state] ?? 0), 0);
}

/** How the number is shown: what is over needs nobody, what is late does. */
export function levelOf(name) {
  return BOXES[name].isQuiet ? "quiet" : (BOXES[name].level ?? null);
}
