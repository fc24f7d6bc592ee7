// Accounts and tokens: what is typed, what of it changes, what keeps it from being saved.
//
// In: accounts and tokens of the server, texts of fields, a moment. Out: changes, faults, states.
// Not known here: the document, the server.

export const ROLES = ["operator", "supervisor", "department", "integrator", "admin"];
/** What a program may be allowed. Calls of one's own are those of a seat, and programs have none. */
export const TOKEN_SCOPES = ["audio", "recordings", "calls:all", "calls:personal", "hall", "knowledge:read", "knowledge:write", "metrics", "tokens", "system"];
export const LEAST_PASSWORD = 10;
const NAME = /^[\p{L}\p{N}_.@-]{2,64}$/u;
const SOON_MS = 30 * 24 * 3600 * 1000;
/** Letters and digits that nobody takes for one another when a password is read aloud. */
const READABLE = "abcdefghjkmnpqrstuvwxyz23456789";

export const blankAccount = () => ({
  name: "",
  display_name: "",
  role: "operator",
  operator_id: "",
  department_id: "",
  password: "",
});

/** The fields of an account as texts. */
export function textsOf(account) {
  return {
    name: account.name,
    display_name: account.display_name,
    role: account.role,
    operator_id: account.operator_id ?? "",
    department_id: account.department_id ?? "",
    password: "",
  };
}

/** What of an account is to be changed, in the server's words; empty where nothing is. */
export function changesOf(account, texts) {
  const before = textsOf(account);
  const names = ["display_name", "role", "operator_id", "department_id"];
  return Object.fromEntries(
    names.filter((name) => texts[name].trim() !== before[name]).map((name) => [name, texts[name].trim()]),
  );
}

/** The changes that take other ones back. */
export function reverseOf(account, changes) {
  const before = textsOf(account);
  return Object.fromEntries(Object.keys(changes).map((name) => [name, before[name] ?? account[name]]));
}

/** What keeps an account from being added.
 * @returns {{field: string, key: string}|null} */
export function faultOf(texts, accounts) {
  const name = texts.name.trim().toLowerCase();
  if (!NAME.test(name)) return { field: "name", key: "fault.name" };
  if (accounts.some((account) => account.name === name)) return { field: "name", key: "fault.taken" };
  const fault = passwordFault(texts.password, name);
  return fault ? { field: "password", key: fault } : null;
}

/** What is wrong with a password, as the end of a word; null where nothing is. */
export function passwordFault(password, name) {
  if (password.length < LEAST_PASSWORD) return "fault.short";
  if (new Set(password).size < 5 || password.toLowerCase().includes(name.toLowerCase())) return "fault.weak";
  return null;
}

/** A password to be handed over, such as `k7mq-3xva-9fpd`: some 59 bits.
 * @param {(bytes: Uint8Array) => Uint8Array} fill fills with random bytes */
export function newPassword(fill = (bytes) => crypto.getRandomValues(bytes)) {
  let made = "";
  while (made.length < 12) {
    // Bytes beyond the last whole round would make the first letters likelier.
    const usable = [...fill(new Uint8Array(24))].filter((byte) => byte < 256 - (256 % READABLE.length));
    made += usable.map((byte) => READABLE[byte % READABLE.length]).join("");
  }
  return made.slice(0, 12).match(/.{4}/g).join("-");
}

/** Accounts in which what was typed occurs, and that have the role if one is chosen. */
export function foundAccounts(accounts, { q = "", role = "" }) {
  const typed = q.trim().toLowerCase();
  return accounts.filter(
    (account) =>
      (role === "" || account.role === role) &&
      [account.name, account.display_name, account.operator_id ?? "", account.department_id ?? ""].some((text) =>
        text.toLowerCase().includes(typed),
      ),
  );
}

/** @returns {"holds"|"soon"|"expired"|"revoked"} */
export function tokenState(token, nowMs) {
  if (token.revoked_at !== null) return "revoked";
  const leftMs = Date.parse(token.expires_at) - nowMs;
  if (leftMs <= 0) return "expired";
  return leftMs <= SOON_MS ? "soon" : "holds";
}

/** Tokens in the order of the list: those that hold first, and the others only where they are wanted. */
export function listedTokens(tokens, nowMs, { withEnded }) {
  const isOver = (token) => ["expired", "revoked"].includes(tokenState(token, nowMs));
  return [...tokens.filter((token) => !isOver(token)), ...(withEnded ? tokens.filter(isOver) : [])];
}
