// One token: made, its key shown once, and let to hold no longer.
//
// In: tokens, what is typed. Out: a panel; tokens on the server. Revoking cannot be taken back, so it asks first.

import { h } from "../dom.js";
import { button, moment, reasonOf, whileWorking } from "../parts.js";
import { mountFields, NEW } from "./fields.js";
import { TOKEN_SCOPES, tokenState } from "./people.js";
import { secretOnce } from "./secret.js";
import { makeToken, revokeToken } from "./server.js";

const DAYS = [30, 90, 365, 730, 1825];

/** @param {{news, session, kept: object, tokens: () => Array<object>, onChanged: (token) => void,
 *   onOpened: () => void}} page `kept.chosen` is a number, `NEW`, or null; `kept.texts` what is typed */
export function mountTokenPanel(t, page) {
  const { news, session, kept } = page;
  const element = h("aside", { class: "sys-side", "aria-label": t("token.panel") });
  const said = h("p", { class: "sys-fault", role: "alert" });
  let fields = null;
  let submit = null;

  const chosen = () => page.tokens().find((token) => token.token_id === kept.chosen) ?? null;

  function open(id) {
    if (kept.made) return holdSecret();
    if (id === kept.chosen) return fields?.focus("name");
    kept.chosen = id;
    if (id === NEW) kept.texts ??= { name: "", days: "365", scopes: ["audio"] };
    draw();
    page.onOpened();
    fields?.focus("name");
  }

  function draw() {
    fields = submit = null;
    said.textContent = "";
    if (kept.made) element.replaceChildren(once(kept.made));
    else if (kept.chosen === NEW) element.replaceChildren(...making());
    else if (chosen()) element.replaceChildren(...showing(chosen()));
    else element.replaceChildren(...resting());
  }

  function resting() {
    return [h("h2", {}, t("tokens.what")), ...["1", "2", "3"].map((n) => h("p", {}, t(`tokens.what.${n}`)))];
  }

  function making() {
    fields = mountFields(kept.texts, [
      { name: "name", label: t("token.name"), most: 100, hint: t("token.name.how") },
      {
        name: "days",
        label: t("token.days"),
        kind: "choice",
        hint: t("token.days.how"),
        options: DAYS.map((days) => ({ value: String(days), text: t(`token.days.${days}`) })),
      },
    ]);
    const make = h("button", { type: "submit", class: "primary" }, t("token.make"));
    submit = () => {
      const isNamed = kept.texts.name.trim() !== "";
      fields.showFault(isNamed ? null : { field: "name", text: t("fault.tokenName") });
      if (!isNamed) return;
      said.textContent = kept.texts.scopes.length > 0 ? "" : t("fault.scopes");
      if (kept.texts.scopes.length > 0) whileWorking(make, send, failed);
    };
    const form = h(
      "form",
      { class: "sys-form", novalidate: true },
      fields.elements[0],
      scopes(),
      fields.elements[1],
      said,
      h("div", { class: "sys-row" }, make, button(t("form.cancel"), giveUp)),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    return [h("h2", {}, t("tokens.add")), form];
  }

  /** A token may do no more than its maker. */
  function scopes() {
    const offered = TOKEN_SCOPES.filter((scope) => session.scopes.includes(scope));
    const box = (scope) => {
      const check = h("input", { type: "checkbox", name: scope });
      check.checked = kept.texts.scopes.includes(scope);
      check.addEventListener("change", () => {
        const others = kept.texts.scopes.filter((one) => one !== scope);
        kept.texts.scopes = check.checked ? [...others, scope] : others;
        said.textContent = "";
      });
      return h(
        "label",
        { class: "sys-check" },
        check,
        h("span", {}, t(`scope.${scope}`), h("small", {}, t(`scope.${scope}.how`))),
      );
    };
    return h("fieldset", { class: "sys-checks" }, h("legend", {}, t("token.scopes")), ...offered.map(box));
  }

  async function send() {
    const { name, scopes: allowed, days } = kept.texts;
    const made = await makeToken({ name: name.trim(), scopes: allowed, days: Number(days) });
    Object.assign(kept, { made, chosen: made.token_id, texts: null });
    page.onChanged(made);
    draw();
  }

  /** What is shown once goes only when somebody says that it is written down. */
  function holdSecret() {
    draw();
    news.tell(t("secret.first"));
  }

  function once({ name, key }) {
    return secretOnce(t, {
      title: t("secret.token", { name }),
      secret: key,
      lines: [t("secret.token.once"), t("secret.token.how")],
      onDone: () => ((kept.made = null), draw()),
    });
  }

  function showing(token) {
    const state = tokenState(token, Date.now());
    const line = (key, text) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, text));
    const lasts = state === "holds" || state === "soon";
    return [
      h("h2", {}, token.name),
      h(
        "dl",
        { class: "sys-facts" },
        line("token.state", t(`token.state.${state}`)),
        line("token.scopes", token.scopes.map((scope) => t(`scope.${scope}`)).join(t("sys.comma"))),
        line("token.created_by", token.created_by),
        line("token.created_at", moment(token.created_at, t)),
        line("token.expires_at", moment(token.expires_at, t)),
        line("token.last_used_at", token.last_used_at ? moment(token.last_used_at, t) : t("token.neverUsed")),
        ...(token.revoked_at ? [line("token.revoked_at", moment(token.revoked_at, t))] : []),
      ),
      said,
      lasts ? revoking(token) : h("p", { class: "sys-hint" }, t("token.over.how")),
      h("div", { class: "sys-row" }, button(t("form.close"), back, { title: "Esc" })),
    ];
  }

  function revoking(token) {
    const place = h("div", { class: "sys-part" });
    const ask = button(t("token.revoke"), () => {
      place.replaceChildren(
        h("p", { class: "sys-look" }, t("token.revoke.ask")),
        h("div", { class: "sys-row" }, sure, button(t("token.revoke.keep"), rest)),
      );
      sure.focus();
    });
    const sure = button(
      t("token.revoke.sure"),
      (event) => whileWorking(event.currentTarget, () => revoke(token), failed),
      { class: "danger" },
    );
    function rest() {
      const hadFocus = place.contains(document.activeElement);
      place.replaceChildren(ask);
      if (hadFocus) ask.focus();
    }
    place.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !sure.isConnected) return;
      event.stopPropagation();
      rest();
    });
    rest();
    return place;
  }

  async function revoke(token) {
    const revoked = await revokeToken(token.token_id);
    page.onChanged(revoked);
    draw();
    news.tell(t("token.did.revoke", { name: token.name }));
  }

  function failed(error) {
    said.textContent = reasonOf(error, t);
  }

  function giveUp() {
    kept.texts = null;
    open(null);
  }

  function back() {
    if (kept.chosen === null) return false;
    open(null);
    return true;
  }

  function refresh() {
    if (typeof kept.chosen === "number" && !kept.made && !element.contains(document.activeElement)) draw();
  }

  kept.chosen ??= null;
  kept.texts ??= null;
  draw();
  return {
    element,
    open,
    refresh,
    back,
    unsaved: () => Boolean(kept.made) || Boolean(kept.texts?.name.trim()),
    save: () => (submit ? (submit(), true) : false),
  };
}
