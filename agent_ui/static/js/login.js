// The login page: name and password, or the one-time code that the server printed.
//
// In: the address bar (`#code=…`, `#error=…`, `?next=…`), what somebody types. Out: a session, and the page wanted.
// Not known here: what lies behind.

import { ApiError, getJson, sendJson } from "./api.js";
import { h, setText } from "./dom.js";
import { chosenLanguage, switchLanguage, wordsOf } from "./i18n.js";
import { LOGIN_WORDS } from "./loginwords.js";

const root = document.getElementById("login");
const hash = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname + location.search); // a code must not stay in the history
let ways = { needs_first_account: false, single_sign_on: false, is_open: false };
let way = hash.has("code") ? "code" : "password";
let wrong = hash.get("error");

start();

async function start() {
  draw();
  try {
    ways = await getJson("v1/session/ways");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return draw("login.offline");
  }
  if (ways.is_open) return goOn();
  if (ways.needs_first_account) way = "code";
  else if (hash.has("code")) return submit(() => signInByCode({ code: hash.get("code") }));
  if (ways.needs_first_account || ways.single_sign_on) draw(); // else the form is right as it stands
}

/** Draw the form anew; `problem` is a key of our words, or a sentence of the server. What is typed stays, and so does the
 * place of the focus; the password goes only where it `isRefused`. */
function draw(problem = wrong && `login.${wrong}`, { isRefused = false } = {}) {
  const t = wordsOf(chosenLanguage(), LOGIN_WORDS);
  const isFirst = way === "code" && ways.needs_first_account;
  document.documentElement.lang = t.language;
  document.title = t("login.title");
  const field = (key, attributes) => h("label", {}, t(key), h("input", { required: true, ...attributes }));
  const code = field("login.code", { name: "code", autocomplete: "one-time-code", autocapitalize: "characters" });
  const name = field("login.name", { name: "name", autocomplete: "username", maxlength: 64 });
  const password = field(isFirst ? "login.newPassword" : "login.password", {
    name: "password",
    type: "password",
    autocomplete: isFirst ? "new-password" : "current-password",
    ...(isFirst ? { minlength: 10 } : {}),
  });
  const fields = way === "password" ? [name, password] : isFirst ? [code, name, password] : [code];
  const button = h("button", { type: "submit", class: "primary" }, t(isFirst ? "login.create" : "login.enter"));
  const other = h(
    "button",
    { type: "button", class: "quiet", onclick: () => changeWay(way === "code" ? "password" : "code") },
    t(way === "code" ? "login.usePassword" : "login.useCode"),
  );
  const form = h(
    "form",
    { class: "login", "aria-label": t("login.title") },
    h("h1", {}, t("app.brand"), h("span", {}, t("login.sub"))),
    h("p", {}, t(way === "password" ? "login.forgotten" : isFirst ? "login.first" : "login.codeHow")),
    ...fields,
    h("p", { class: "login-wrong", role: "alert" }, problem ? sentence(t, problem) : ""),
    button,
    ...(ways.single_sign_on && !isFirst ? [h("a", { class: "sso", href: "v1/session/oidc" }, t("login.sso"))] : []),
    ...(isFirst ? [] : [other]),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = Object.fromEntries(new FormData(form));
    setText(button, t("login.busy"));
    button.disabled = true;
    submit(() => (way === "password" ? signIn(typed) : signInByCode(typed)));
  });
  const tools = h(
    "div",
    { class: "login-tools" },
    h("button", { type: "button", class: "quiet", onclick: () => (switchLanguage(), draw()) }, t("app.language")),
    h(
      "button",
      {
        type: "button",
        class: "quiet",
        title: t("app.theme.tip"),
        onclick: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
      },
      t("app.theme"),
    ),
  );
  const before = root.querySelector("form");
  const typed = before ? Object.fromEntries(new FormData(before)) : {};
  const had = before?.contains(document.activeElement) ? document.activeElement.name : "";
  root.replaceChildren(form, tools);
  if (hash.has("code") && form.elements.code) form.elements.code.value = hash.get("code");
  for (const kept of ["name", "code", ...(isRefused ? [] : ["password"])]) {
    if (typed[kept] && form.elements[kept]) form.elements[kept].value = typed[kept];
  }
  const empty = [...form.elements].find((one) => one.tagName === "INPUT" && one.value === "");
  (had && !isRefused ? (form.elements[had] ?? empty) : empty)?.focus();
}

function sentence(t, problem) {
  if (t.knows(problem)) return t(problem);
  return problem.startsWith("login.access.") ? t("login.failed", { code: problem.slice(6) }) : problem;
}

function changeWay(next) {
  way = next;
  wrong = null;
  draw();
}

async function submit(signingIn) {
  try {
    await signingIn();
    goOn();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    wrong = null;
    const problem = error.status === 0 ? "login.offline" : (error.detail.message ?? `login.${error.code}`);
    draw(problem, { isRefused: error.status !== 0 });
  }
}

function signIn({ name, password }) {
  return sendJson("POST", "v1/session", { body: { name, password } });
}

function signInByCode({ code, name = "", password = "" }) {
  return sendJson("POST", "v1/session/code", { body: { code, name, password } });
}

/** To the page that was wanted: one of ours, never another site's. */
function goOn() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  const target = new URL(next || "./", document.baseURI);
  location.replace(target.origin === location.origin ? target.href : "./");
}
