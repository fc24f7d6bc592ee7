// Tokens: the keys of telephone systems and other programs, and beside them the one that is looked at.
//
// In: the server's tokens, what was chosen before. Out: a list and a panel.

import { h } from "../dom.js";
import { day, today } from "../format.js";
import { button, emptiness, moment, sorry } from "../parts.js";
import { NEW } from "./fields.js";
import { listedTokens, tokenState } from "./people.js";
import { readTokens } from "./server.js";
import { mountTable } from "./table.js";
import { mountTokenPanel } from "./tokenpanel.js";

const MARKS = { holds: null, soon: "look", expired: "bad", revoked: "bad" };

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountTokens(t, page) {
  const { kept } = page;
  kept.withEnded ??= false;
  const table = mountTable(t, {
    label: t("tokens.title"),
    key: (token) => String(token.token_id),
    onOpen: (token) => panel.open(token.token_id),
    columns: [
      { name: "token", label: t("token.name"), cell: (token) => token.name },
      { name: "scopes", label: t("token.scopes"), cell: scopesCell },
      { name: "state", label: t("token.state"), cell: stateCell },
      {
        name: "expires",
        label: t("token.expires_at"),
        cell: (token) => day(today(Date.parse(token.expires_at)), t.language),
      },
      {
        name: "used",
        label: t("token.last_used_at"),
        cell: (token) => (token.last_used_at ? moment(token.last_used_at, t) : t("token.neverUsed")),
      },
      { name: "by", label: t("token.created_by"), cell: (token) => token.created_by },
    ],
  });
  const panel = mountTokenPanel(t, {
    ...page,
    tokens: () => kept.tokens ?? [],
    onChanged: (token) => {
      const others = (kept.tokens ?? []).filter((one) => one.token_id !== token.token_id);
      kept.tokens = [{ ...token, key: null }, ...others].sort((a, b) => b.token_id - a.token_id);
      draw();
    },
    onOpened: () => kept.tokens && draw(),
  });
  const ended = h("input", { type: "checkbox" });
  ended.checked = kept.withEnded;
  ended.addEventListener("change", () => {
    kept.withEnded = ended.checked;
    draw();
  });
  const add = button(t("tokens.add"), () => panel.open(NEW), {
    class: "primary",
    title: `${t("tokens.add")} (N)`,
  });
  const tools = h(
    "div",
    { class: "sys-tools" },
    h("label", { class: "sys-inline" }, ended, t("tokens.withEnded")),
    h("span", { class: "sys-hint" }, t("tokens.how")),
    add,
  );

  function scopesCell({ scopes }) {
    const words = scopes.map((scope) => t(`scope.${scope}`)).join(t("sys.comma"));
    return { text: words, title: words };
  }

  function stateCell(token) {
    const state = tokenState(token, Date.now());
    return { text: t(`token.state.${state}`), mark: MARKS[state] };
  }

  function draw() {
    const listed = listedTokens(kept.tokens, Date.now(), { withEnded: kept.withEnded });
    if (listed.length > 0) table.show(listed, String(kept.chosen));
    else if (kept.tokens.length > 0) table.say(emptiness(t("tokens.ended"), t("tokens.ended.how")));
    else table.say(emptiness(t("tokens.none"), t("tokens.none.how")));
  }

  async function refresh() {
    if (kept.tokens) draw();
    else table.wait();
    try {
      kept.tokens = await readTokens();
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
    if (name === "save") return panel.save();
    if (name === "back") return panel.back();
    return false;
  }

  return { tools, list: table.element, side: panel.element, open: refresh, act, unsaved: panel.unsaved };
}
