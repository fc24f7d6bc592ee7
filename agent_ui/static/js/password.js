// The page on which somebody who is signed in chooses another password.
//
// In: what is typed. Out: a new password on the server. Not known here: other people's passwords, which an
// administrator sets on the system page.

import { ApiError, enter, sendJson } from "./api.js";
import { h, setText } from "./dom.js";
import { chosenLanguage, wordsOf } from "./i18n.js";
import { LOGIN_WORDS } from "./loginwords.js";

const session = await enter();
const t = wordsOf(chosenLanguage(), LOGIN_WORDS);
document.documentElement.lang = t.language;
document.title = t("password.title");

const field = (key, attributes) =>
  h("label", {}, t(key), h("input", { type: "password", required: true, ...attributes }));
const told = h("p", { class: "login-wrong", role: "alert" });
const button = h("button", { type: "submit", class: "primary" }, t("password.save"));
const form = h(
  "form",
  { class: "login", "aria-label": t("password.title") },
  h("h1", {}, t("app.brand"), h("span", {}, t("password.change"))),
  h("p", {}, t("password.how", { name: session.display_name })),
  // A manager of passwords has to know whose they are.
  h("input", { type: "hidden", name: "name", autocomplete: "username", value: session.display_name }),
  field("password.old", { name: "old", autocomplete: "current-password" }),
  field("login.newPassword", { name: "next", autocomplete: "new-password", minlength: 10 }),
  field("password.again", { name: "again", autocomplete: "new-password", minlength: 10 }),
  told,
  button,
  h("a", { class: "sso", href: "./" }, t("password.back")),
);
form.addEventListener("submit", change);
document.getElementById("login").replaceChildren(form);
form.elements.old.focus();

async function change(event) {
  event.preventDefault();
  const { old, next, again } = Object.fromEntries(new FormData(form));
  if (next !== again) return complain(t("password.differ"), "again");
  button.disabled = true;
  try {
    await sendJson("POST", "v1/session/password", { body: { old, new: next } });
    form.replaceChildren(
      h("h1", {}, t("app.brand"), h("span", {}, t("password.change"))),
      h("p", { role: "status" }, t("password.did")),
      h("a", { class: "sso", href: "./" }, t("password.back")),
    );
    form.querySelector("a").focus();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const sentence = error.detail.message ?? t("login.failed", { code: error.code });
    complain(
      error.status === 0 ? t("login.offline") : sentence,
      error.code === "access.wrong_password" ? "old" : "next",
    );
  } finally {
    button.disabled = false;
  }
}

function complain(sentence, name) {
  setText(told, sentence);
  form.elements[name].focus();
}
