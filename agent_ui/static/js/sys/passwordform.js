// Another password: for somebody else one that is made here, for oneself one that is typed with the old one.
//
// In: an account. Out: a part of its panel; a new password on the server. Not known here: the list.

import { h } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";
import { mountFields } from "./fields.js";
import { newPassword, passwordFault } from "./people.js";
import { changeAccount, changeOwnPassword } from "./server.js";

/** @param {{account: object, isOwn: boolean, news, kept: object,
 *   onSet: (account, password: string) => void}} how `kept.password` holds what is typed, null while closed */
export function passwordForm(t, { account, isOwn, news, kept, onSet }) {
  const element = h("section", { class: "sys-part" });
  let fields = null;

  function draw() {
    const how = isOwn ? "password.own.how" : account.has_password ? "password.how" : "password.none.how";
    element.replaceChildren(
      h("h3", {}, t("account.password")),
      h("p", { class: "sys-hint" }, t(how)),
      kept.password ? form() : button(t(isOwn ? "password.own" : "password.set"), begin),
    );
  }

  function begin() {
    kept.password = { old: "", next: isOwn ? "" : newPassword() };
    draw();
    fields.focus(isOwn ? "old" : "next");
  }

  function end() {
    kept.password = null;
    draw();
  }

  function form() {
    const next = {
      name: "next",
      label: t("password.next"),
      most: 200,
      kind: isOwn ? "password" : "text",
      hint: t(isOwn ? "password.rule" : "account.password.how"),
    };
    const old = {
      name: "old",
      label: t("password.old"),
      most: 200,
      kind: "password",
      attributes: { autocomplete: "current-password" },
    };
    fields = mountFields(kept.password, isOwn ? [old, next] : [next]);
    const save = h("button", { type: "submit", class: "primary" }, t("password.save"));
    const another = isOwn
      ? ""
      : button(t("account.password.another"), () => fields.fill({ next: newPassword() }));
    const built = h(
      "form",
      { class: "sys-form", novalidate: true },
      ...fields.elements,
      h("div", { class: "sys-row" }, save, another, button(t("form.cancel"), end)),
    );
    built.addEventListener("submit", (event) => {
      event.preventDefault();
      const fault = passwordFault(kept.password.next, account.name);
      fields.showFault(fault && { field: "next", text: t(fault) });
      if (!fault) whileWorking(save, send, failed);
    });
    return built;
  }

  async function send() {
    const { old, next } = kept.password;
    if (isOwn) await changeOwnPassword(old, next);
    else await changeAccount(account.name, { password: next });
    end();
    if (isOwn) news.tell(t("password.own.did"));
    else onSet(account, next);
  }

  function failed(error) {
    const field = error.code === "access.wrong_password" ? "old" : "next";
    fields.showFault({ field, text: reasonOf(error, t) });
  }

  draw();
  return element;
}
