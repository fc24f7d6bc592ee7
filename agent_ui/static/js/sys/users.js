// The view of people and programs: accounts, tokens and webhooks share a place; who makes tokens only sees those.
//
// In: what somebody may do. Out: a view. Not known here: what the lists hold.

import { h } from "../dom.js";
import { emptiness } from "../parts.js";
import { mountAccounts } from "./accounts.js";
import { mountTabs } from "./controls.js";
import { mountHooks } from "./hooks.js";
import { mountTokens } from "./tokens.js";

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountUsers(t, page) {
  const { kept, session } = page;
  const element = h("div", { class: "sys-view sys-pair" });
  if (session.is_open) {
    element.append(emptiness(t("open.title"), t("open.how")));
    element.classList.add("sys-alone");
    return { element, open: () => {}, close: () => {}, act: () => false, unsaved: () => false };
  }
  const names = session.scopes.includes("system") ? ["accounts", "tokens", "hooks"] : ["tokens"];
  kept.list ??= names[0];
  kept.accounts ??= {};
  kept.tokens ??= {};
  kept.hooks ??= {};
  const mount = { accounts: mountAccounts, tokens: mountTokens, hooks: mountHooks };
  const lists = Object.fromEntries(
    names.map((name) => [name, mount[name](t, { ...page, kept: kept[name] })]),
  );
  const tabs = mountTabs({
    names,
    label: t("view.users"),
    text: (name) => t(`${name}.title`),
    chosen: kept.list,
    onChoose: (name) => {
      kept.list = name;
      draw();
      lists[name].open();
    },
  });
  const head = h("div", { class: "sys-head" });
  const main = h("div", { class: "sys-main" }, head);
  element.append(main);
  const current = () => lists[kept.list];

  function draw() {
    head.replaceChildren(...(names.length > 1 ? [tabs.element] : []), current().tools);
    main.replaceChildren(head, current().list);
    element.replaceChildren(main, current().side);
  }

  draw();
  return {
    element,
    open: () => current().open(),
    close: () => {},
    act: (name) => current().act(name),
    unsaved: () => names.some((name) => lists[name].unsaved()),
  };
}
