// One account: who it is, what it may do, its password, whether it may come in.
//
// In: accounts, what is typed. Out: a panel; changes to the server, which can be taken back.

import { h } from "../dom.js";
import { directoryOf } from "../orders/units.js";
import { button, moment, reasonOf, whileWorking } from "../parts.js";
import { mountFields, NEW } from "./fields.js";
import { blankAccount, changesOf, faultOf, newPassword, reverseOf, ROLES, textsOf } from "./people.js";
import { passwordForm } from "./passwordform.js";
import { secretOnce } from "./secret.js";
import { addAccount, changeAccount } from "./server.js";

/** @param {{news, session, kept: object, accounts: () => Array<object>, onChanged: (account) => void,
 *   onOpened: () => void}} page `kept.chosen` is a name, `NEW`, or null; `kept.drafts` what is typed, by
 * the same: whoever looks at somebody else meanwhile finds it again */
export function mountAccountPanel(t, page) {
  const { news, session, kept } = page;
  const element = h("aside", { class: "sys-side", "aria-label": t("account.panel") });
  let fields = null;
  let submit = null;

  const find = (wanted) => page.accounts().find(({ name }) => name === wanted) ?? null;
  const chosen = () => find(kept.chosen);
  const texts = () => kept.drafts[kept.chosen];
  const said = h("p", { class: "sys-fault", role: "alert" });

  function open(name) {
    if (kept.secret) return holdSecret();
    if (name === kept.chosen) return fields?.focus(name === NEW ? "name" : "display_name");
    kept.chosen = name;
    kept.password = null;
    if (name === NEW) kept.drafts[NEW] ??= { ...blankAccount(), password: newPassword() };
    draw();
    page.onOpened();
    fields?.focus(name === NEW ? "name" : "display_name");
  }

  function draw() {
    fields = submit = null;
    said.textContent = "";
    if (kept.secret) element.replaceChildren(...once());
    else if (kept.chosen === NEW) element.replaceChildren(...adding());
    else if (chosen()) element.replaceChildren(...editing(chosen()));
    else element.replaceChildren(...resting());
  }

  /** Nobody is chosen: say what each role is for. */
  function resting() {
    return [
      h("h2", {}, t("roles.title")),
      h("p", { class: "sys-hint" }, t("roles.how")),
      h(
        "dl",
        { class: "sys-terms" },
        ...ROLES.map((role) =>
          h("div", {}, h("dt", {}, t(`role.${role}`)), h("dd", {}, t(`role.${role}.how`))),
        ),
      ),
    ];
  }

  function common({ isOwn = false } = {}) {
    return [
      {
        name: "display_name",
        label: t("account.display_name"),
        most: 100,
        hint: t("account.display_name.how"),
      },
      {
        name: "role",
        label: t("account.role"),
        kind: "choice",
        isLocked: isOwn,
        hint: isOwn ? t("account.role.own") : null,
        options: ROLES.map((role) => ({
          value: role,
          text: `${t(`role.${role}`)} — ${t(`role.${role}.short`)}`,
        })),
      },
      { name: "operator_id", label: t("account.operator_id"), most: 128, hint: t("account.operator_id.how") },
      {
        name: "department_id",
        label: t("account.department_id"),
        kind: "choice",
        hint: t("account.department_id.how"),
        options: [{ value: "", text: t("account.department_id.none") }, ...departments()],
      },
    ];
  }

  /** Those of the directory, and the one that somebody has, should it not be there any more. */
  function departments() {
    const known = directoryOf(kept.units ?? []);
    const own = texts()?.department_id;
    const all = known.names.map(({ id, name }) => ({ value: id, text: name }));
    return !own || known.has(own) ? all : [...all, { value: own, text: own }];
  }

  function adding() {
    fields = mountFields(texts(), [
      { name: "name", label: t("account.name"), most: 64, hint: t("account.name.how") },
      ...common(),
      { name: "password", label: t("account.password"), most: 200, hint: t("account.password.how") },
    ]);
    const add = h("button", { type: "submit", class: "primary" }, t("account.add"));
    const another = button(t("account.password.another"), () => fields.fill({ password: newPassword() }));
    submit = () => {
      const fault = faultOf(texts(), page.accounts());
      fields.showFault(fault && { field: fault.field, text: t(fault.key) });
      if (fault) return;
      whileWorking(add, sendNew, failed);
    };
    return [h("h2", {}, t("accounts.add")), formOf(add, another, button(t("form.cancel"), giveUp))];
  }

  async function sendNew() {
    const typed = { ...texts(), name: texts().name.trim().toLowerCase() };
    const account = await addAccount(typed);
    kept.secret = { name: account.name, password: typed.password, isNew: true };
    kept.chosen = account.name;
    delete kept.drafts[NEW];
    page.onChanged(account);
    draw();
  }

  function editing(account) {
    const isOwn = account.name === session.name;
    kept.drafts[account.name] ??= textsOf(account);
    const save = h("button", { type: "submit", class: "primary", title: "Ctrl+S" }, t("form.save"));
    const mark = () => (save.disabled = !differs(account.name));
    fields = mountFields(texts(), common({ isOwn }), () => (mark(), page.onOpened()));
    submit = () => whileWorking(save, () => change(account, changesOf(account, texts())), failed).then(mark);
    mark();
    return [
      h("h2", {}, account.name, h("small", {}, t("account.since", { time: moment(account.created_at, t) }))),
      formOf(save, button(t("form.close"), back, { title: "Esc" })),
      passwordForm(t, { account, isOwn, news, kept, onSet: tellPassword }),
      access(account, isOwn),
    ];
  }

  /** Change an account and offer to take that back. */
  async function change(account, changes) {
    if (Object.keys(changes).length === 0) return;
    const changed = await changeAccount(account.name, changes);
    if (Object.keys(changes).some((name) => name !== "is_active")) delete kept.drafts[account.name];
    page.onChanged(changed);
    draw();
    news.tell(saidOf(account, changes), { undo: () => takeBack(changed, reverseOf(account, changes)) });
  }

  function saidOf({ name }, changes) {
    if (changes.is_active === false) return t("account.did.lock", { name });
    if (changes.is_active === true) return t("account.did.unlock", { name });
    return t("account.did.change", { name });
  }

  function takeBack(account, changes) {
    return change(account, changes).catch((error) => news.tell(reasonOf(error, t), { level: "bad" }));
  }

  function access(account, isOwn) {
    const { is_active: isActive } = account;
    const turn = button(t(isActive ? "account.lock" : "account.unlock"), (event) =>
      whileWorking(event.currentTarget, () => change(account, { is_active: !isActive }), failed),
    );
    turn.disabled = isOwn;
    return h(
      "section",
      { class: "sys-part" },
      h("h3", {}, t("account.access")),
      h(
        "p",
        { class: "sys-hint" },
        t(isOwn ? "account.lock.own" : isActive ? "account.lock.how" : "account.unlock.how"),
      ),
      turn,
    );
  }

  function tellPassword(account, password) {
    kept.secret = { name: account.name, password, isNew: false };
    draw();
  }

  /** What is shown once goes only when somebody says that it is written down. */
  function holdSecret() {
    draw();
    news.tell(t("secret.first"));
  }

  function once() {
    const { name, password, isNew } = kept.secret;
    return [
      h("h2", {}, name),
      secretOnce(t, {
        title: t(isNew ? "secret.account" : "secret.password"),
        secret: password,
        lines: [t("secret.password.how", { name })],
        onDone: () => ((kept.secret = null), draw()),
      }),
    ];
  }

  function formOf(...buttons) {
    const form = h(
      "form",
      { class: "sys-form", novalidate: true },
      ...fields.elements,
      said,
      h("div", { class: "sys-row" }, ...buttons),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    return form;
  }

  function failed(error) {
    const text = reasonOf(error, t);
    const field = {
      "access.bad_name": "name",
      "access.name_in_use": "name",
      "access.weak_password": "password",
      "access.department_needed": "department_id",
      "access.unknown_department": "department_id",
    }[error.code];
    if (field && (kept.chosen === NEW || field === "department_id")) fields.showFault({ field, text });
    else said.textContent = text;
  }

  function giveUp() {
    delete kept.drafts[kept.chosen];
    open(null);
  }

  /** Out of the account; what is typed is kept. */
  function back() {
    if (kept.chosen === null) return false;
    open(null);
    return true;
  }

  /** The list was read anew: what is typed stays, anything else is shown as it is now. */
  function refresh() {
    if (kept.secret || kept.password || kept.chosen === NEW || element.contains(document.activeElement))
      return;
    if (differs(kept.chosen)) return;
    delete kept.drafts[kept.chosen];
    draw();
  }

  /** Whether something of it is typed that is not saved. */
  function differs(name) {
    if (!(name in kept.drafts)) return false;
    if (name === NEW) return kept.drafts[NEW].name.trim() !== "";
    const account = find(name);
    return account !== null && Object.keys(changesOf(account, kept.drafts[name])).length > 0;
  }

  kept.chosen ??= null;
  kept.drafts ??= Object.create(null);
  draw();
  return {
    element,
    open,
    refresh,
    back,
    differs,
    unsaved: () => Boolean(kept.secret) || Object.keys(kept.drafts).some(differs),
    save: () => (submit ? (submit(), true) : false),
  };
}
