// Webhooks: other systems that are told of work orders, how they fare, and beside them the one that is looked at.
//
// In: the server's receivers, what was chosen before. Out: a list and a panel.

import { h } from "../dom.js";
import { button, emptiness, many, moment, sorry } from "../parts.js";
import { NEW } from "./fields.js";
import { mountHookPanel } from "./hookpanel.js";
import { readHooks } from "./server.js";
import { mountTable } from "./table.js";

export const MARKS = { fine: null, failing: "bad", paused: "look" };

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountHooks(t, page) {
  const { kept } = page;
  const table = mountTable(t, {
    label: t("hooks.title"),
    key: (hook) => String(hook.receiver_id),
    onOpen: (hook) => panel.open(hook.receiver_id),
    columns: [
      { name: "name", label: t("hook.name"), cell: ({ name }) => name },
      { name: "url", label: t("hook.url"), cell: ({ url }) => ({ text: url, title: url }) },
      {
        name: "state",
        label: t("hook.state"),
        cell: ({ standing }) => ({ text: t(`hook.standing.${standing}`), mark: MARKS[standing] }),
      },
      { name: "by", label: t("hook.waiting"), cell: ({ waiting }) => many(waiting, t) },
      {
        name: "used",
        label: t("hook.last"),
        cell: ({ last_delivered_at: at }) => (at ? moment(at, t) : t("hook.never")),
      },
    ],
  });
  const panel = mountHookPanel(t, {
    ...page,
    hooks: () => kept.hooks ?? [],
    onChanged: (hook, gone = null) => {
      const others = (kept.hooks ?? []).filter((one) => one.receiver_id !== (hook?.receiver_id ?? gone));
      kept.hooks = [...others, ...(hook ? [{ ...hook, secret: null }] : [])];
      kept.hooks.sort((a, b) => a.receiver_id - b.receiver_id);
      draw();
    },
    onOpened: () => kept.hooks && draw(),
  });
  const add = button(t("hooks.add"), () => panel.open(NEW), { class: "primary", title: `${t("hooks.add")} (N)` });
  const tools = h("div", { class: "sys-tools" }, h("span", { class: "sys-hint" }, t("hooks.how")), add);

  function draw() {
    if (kept.hooks.length > 0) table.show(kept.hooks, String(kept.chosen));
    else table.say(emptiness(t("hooks.none"), t("hooks.none.how")));
  }

  async function refresh() {
    if (kept.hooks) draw();
    else table.wait();
    try {
      const found = await readHooks();
      [kept.hooks, kept.events] = [found.receivers, found.events];
      draw();
      panel.refresh();
    } catch (error) {
      page.refused(error);
      table.say(sorry(error, t, refresh));
    }
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "new") return (panel.open(NEW), true);
    if (name === "again") return (refresh(), true);
    if (name === "save") return panel.save();
    if (name === "back") return panel.back();
    return false;
  }

  return { tools, list: table.element, side: panel.element, open: refresh, act, unsaved: panel.unsaved };
}
