// Accounts: the list of people who may sign in, and beside it the one that is looked at.
//
// In: the server's accounts, what was chosen before. Out: a list and a panel.

import { h } from "../dom.js";
import { button, emptiness, many, moment, sorry } from "../parts.js";
import { mountAccountPanel } from "./accountpanel.js";
import { mountChoice, mountSearch } from "./controls.js";
import { NEW } from "./fields.js";
import { foundAccounts, ROLES } from "./people.js";
import { readAccounts, readUnits } from "./server.js";
import { mountTable } from "./table.js";

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountAccounts(t, page) {
  const { kept, session } = page;
  kept.filters ??= { q: "", role: "" };
  const table = mountTable(t, {
    label: t("accounts.title"),
    key: (account) => account.name,
    onOpen: (account) => panel.open(account.name),
    columns: [
      {
        name: "name",
        label: t("account.name"),
        cell: ({ name }) => ({
          text: name,
          sub: panel.differs(name) ? t("form.unsaved") : name === session.name ? t("account.you") : "",
          subMark: panel.differs(name) ? "look" : null,
        }),
      },
      { name: "display", label: t("account.display_name"), cell: (account) => account.display_name },
      { name: "role", label: t("account.role"), cell: ({ role }) => t(`role.${role}`) },
      { name: "seat", label: t("account.own"), cell: seatOf },
      {
        name: "way",
        label: t("account.way"),
        cell: (account) => t(account.has_password ? "account.way.password" : "account.way.oidc"),
      },
      {
        name: "state",
        label: t("account.state"),
        cell: ({ is_active }) =>
          is_active ? t("account.active") : { text: t("account.locked"), mark: "bad" },
      },
      { name: "made", label: t("account.created_at"), cell: (account) => moment(account.created_at, t) },
    ],
  });
  /** The seat, or for somebody of a department whose orders are theirs. */
  function seatOf({ role, operator_id: seat, department_id: unit }) {
    if (role !== "department") return seat ?? "—";
    const name = kept.units?.find(({ unit_id: id }) => id === unit)?.name ?? unit ?? "—";
    return { text: name, title: name };
  }

  const panel = mountAccountPanel(t, {
    ...page,
    accounts: () => kept.accounts ?? [],
    onChanged: (account) => {
      const others = (kept.accounts ?? []).filter(({ name }) => name !== account.name);
      kept.accounts = [...others, account].sort((a, b) => (a.name < b.name ? -1 : 1));
      draw();
    },
    onOpened: () => kept.accounts && draw(),
  });
  const search = mountSearch({
    label: t("accounts.search"),
    value: kept.filters.q,
    onSearch: (q) => filter({ q }),
  });
  const role = mountChoice({
    label: t("accounts.role"),
    value: kept.filters.role,
    options: [
      { value: "", text: t("accounts.role") },
      ...ROLES.map((name) => ({ value: name, text: t(`role.${name}`) })),
    ],
    onChoose: (value) => filter({ role: value }),
  });
  const counted = h("span", { class: "sys-hint", role: "status" });
  const add = button(t("accounts.add"), () => panel.open(NEW), {
    class: "primary",
    title: `${t("accounts.add")} (N)`,
  });
  const tools = h("div", { class: "sys-tools" }, search.element, role.element, counted, add);

  function filter(changes) {
    Object.assign(kept.filters, changes);
    draw();
  }

  function draw() {
    const found = foundAccounts(kept.accounts, kept.filters);
    counted.textContent = t("accounts.count", {
      count: many(found.length, t),
      locked: many(found.filter(({ is_active }) => !is_active).length, t),
    });
    if (found.length > 0) table.show(found, kept.chosen);
    else table.say(emptiness(t("accounts.none"), t("accounts.none.how")));
  }

  async function refresh() {
    if (kept.accounts) draw();
    else table.wait();
    try {
      [kept.accounts, kept.units] = await Promise.all([readAccounts(), readUnits()]);
      draw();
      panel.refresh();
    } catch (error) {
      page.refused(error);
      table.say(sorry(error, t, refresh));
    }
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "new") return (panel.open(NEW), true);
    if (name === "save") return panel.save();
    if (name === "back") return search.back() || panel.back();
    return false;
  }

  return {
    tools,
    list: table.element,
    side: panel.element,
    open: refresh,
    act,
    unsaved: panel.unsaved,
  };
}
