// The shell of every page that is not a desk: a head with the pages, the tools and a corner for the account.
//
// In: words, which page this is. Out: elements, and calls of `actions`. Not known here: what the page shows.

import { h } from "./dom.js";

/** The pages, in the order in which they stand, and of what may be done there what one must be allowed to find
 * them; addresses are relative to the house's own. One that has no head itself opens beside the others. */
const PAGES = [
  { name: "desk", address: "./", needs: ["calls:own", "calls:all"] },
  { name: "orders", address: "orders", needs: ["calls:own", "calls:all", "orders:department"] },
  { name: "knowledge", address: "knowledge", needs: ["knowledge:write"] },
  { name: "recordings", address: "recordings", needs: ["recordings"] },
  { name: "watch", address: "watch", needs: ["calls:all"] },
  { name: "warnings", address: "warnings", needs: ["calls:all", "orders:department"] },
  { name: "reports", address: "reports", needs: ["calls:all", "orders:department"] },
  { name: "records", address: "records", needs: ["calls:all"] },
  { name: "hall", address: "hall", needs: ["calls:all"], isBeside: true },
  { name: "system", address: "system", needs: ["system", "tokens"] },
];

/** The shell's own words, to be put together with those of a page. */
export const SHELL_WORDS = {
  "zh-CN": {
    "shell.pages": "页面",
    "shell.desk": "坐席",
    "shell.orders": "工单",
    "shell.knowledge": "知识",
    "shell.recordings": "录音",
    "shell.watch": "督办",
    "shell.warnings": "预警",
    "shell.reports": "报表",
    "shell.records": "通话记录",
    "shell.hall": "大屏",
    "shell.system": "系统",
    "account.leave": "退出",
    "account.password.tip": "修改密码",
    "role.operator": "坐席",
    "role.supervisor": "班长",
    "role.admin": "管理员",
    "role.integrator": "对接人",
    "role.department": "部门经办",
  },
  en: {
    "shell.pages": "Pages",
    "shell.desk": "Desk",
    "shell.orders": "Orders",
    "shell.knowledge": "Knowledge",
    "shell.recordings": "Recordings",
    "shell.watch": "Supervision",
    "shell.warnings": "Warnings",
    "shell.reports": "Reports",
    "shell.records": "Calls",
    "shell.hall": "Board",
    "shell.system": "System",
    "account.leave": "Sign out",
    "account.password.tip": "Change your password",
    "role.operator": "operator",
    "role.supervisor": "supervisor",
    "role.admin": "administrator",
    "role.integrator": "integrator",
    "role.department": "department",
  },
};

/** Several dictionaries as one; later ones come on top. */
export function together(...dictionaries) {
  const languages = Object.keys(dictionaries[0]);
  return Object.fromEntries(
    languages.map((language) => [language, Object.assign({}, ...dictionaries.map((one) => one[language]))]),
  );
}

/** Who is signed in, and the way out.
 * @param {import("./api.js").Session} session
 * @param {() => void} onLeave */
function mountAccount(t, session, onLeave) {
  const role = session.role && !session.is_open ? ` · ${t(`role.${session.role}`)}` : "";
  return h(
    "span",
    { class: "account" },
    session.is_open
      ? h("span", { class: "account-name" }, session.display_name + role)
      : h("a", { class: "account-name", href: "password", title: t("account.password.tip") }, session.display_name + role),
    session.is_open
      ? ""
      : h("button", { type: "button", class: "quiet", onclick: onLeave }, t("account.leave")),
  );
}

/** The pages that somebody may find, and the one that is open.
 * @param {Array<string>} scopes what somebody may do
 * @returns {Array<{name: string, address: string}>} */
export function pagesFor(scopes, active) {
  return PAGES.filter(
    ({ name, needs }) => name === active || !needs || needs.some((scope) => scopes.includes(scope)),
  );
}

/** @param {{active: string, session: import("./api.js").Session, onLeave: () => void, onLanguage: () => void,
 *   onTheme: () => void, onHelp?: () => void}} options `active` is the name of the page
 * @returns {{element: Element, main: Element, help: Element|null, language: Element}} the head with two of its tools,
 *   and the place for the page below it */
export function mountShell(t, { active, session, onLeave, onLanguage, onTheme, onHelp }) {
  const tab = ({ name, address, isBeside }) =>
    h(
      "a",
      { href: address, target: isBeside ? name : null, "aria-current": name === active ? "page" : null },
      t(`shell.${name}`),
    );
  const tool = (key, onclick) =>
    h(
      "button",
      { type: "button", class: "quiet", title: t(`${key}.tip`), "aria-label": t(`${key}.tip`), onclick },
      t(key),
    );
  const help = onHelp ? tool("app.help", onHelp) : null;
  const language = tool("app.language", onLanguage);
  help?.append(h("kbd", { "aria-hidden": "true" }, "?"));
  const element = h(
    "header",
    { class: "shell-head" },
    h("h1", {}, t("app.brand")),
    h(
      "nav",
      { class: "shell-tabs", "aria-label": t("shell.pages") },
      ...pagesFor(session.scopes, active).map(tab),
    ),
    h("div", { class: "shell-account" }, mountAccount(t, session, onLeave)),
    h(
      "div",
      { class: "shell-tools" },
      language,
      tool("app.theme", onTheme),
      help ?? "",
    ),
  );
  return { element, main: h("main", { class: "shell-main" }), help, language };
}
