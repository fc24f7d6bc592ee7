// Wires the system page: who may see which view, keys, news, what must not be lost.
//
// In: the address bar, keys. Out: what the views draw. The only file of the page that knows all of it.

import { enter, goToLogin, leave } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { emptiness, mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { mountAudit } from "./audit.js";
import { AUDIT_WORDS } from "./auditwords.js";
import { HOOK_WORDS } from "./hookwords.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { mountLexicon } from "./lexicon.js";
import { LEXICON_WORDS } from "./lexiconwords.js";
import { PEOPLE_WORDS } from "./peoplewords.js";
import { mountSettings } from "./settings.js";
import { SETTING_WORDS } from "./settingwords.js";
import { mountState } from "./state.js";
import { STATE_WORDS } from "./statewords.js";
import { mountUsers } from "./users.js";
import { SYS_WORDS } from "./words.js";

const MOUNT = {
  users: mountUsers,
  words: mountLexicon,
  settings: mountSettings,
  state: mountState,
  audit: mountAudit,
};
const WORDS = together(
  SHELL_WORDS,
  PART_WORDS,
  SYS_WORDS,
  PEOPLE_WORDS,
  HOOK_WORDS,
  LEXICON_WORDS,
  SETTING_WORDS,
  STATE_WORDS,
  AUDIT_WORDS,
);

const session = await enter();
const VIEWS = viewsFor(session.scopes);
/** What each view must find again after it was built anew in another language. */
const kept = Object.fromEntries(VIEWS.map((name) => [name, {}]));
let page = mount(chosenLanguage());
addEventListener("beforeunload", (event) => page.isUnsaved() && event.preventDefault());

function viewsFor(scopes) {
  if (scopes.includes("system")) return Object.keys(MOUNT);
  return scopes.includes("tokens") ? ["users"] : [];
}

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  document.documentElement.lang = language;
  document.title = t("sys.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "system",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  const badges = Object.fromEntries(VIEWS.map((name) => [name, h("span", { class: "view-badge" })]));
  badges.state?.setAttribute("data-wide", ""); // a word that comes must not push the next view aside
  const views = {};
  for (const name of VIEWS) {
    views[name] = MOUNT[name](t, {
      news,
      session,
      kept: kept[name],
      refused,
      onUnsaved: (count) => setText(badges.settings, count > 0 ? String(count) : ""),
      onLevel: (level) => {
        setText(badges.state, level === "look" || level === "bad" ? t(`level.${level}`) : "");
        setAttribute(badges.state, "data-level", level);
      },
    });
  }
  const tabs = VIEWS.map((name, place) => {
    const label = t(session.scopes.includes("system") ? `view.${name}` : "tokens.title");
    return h("a", { href: `#${name}`, title: `${label} (${place + 1})` }, label, badges[name]);
  });
  shell.main.append(
    h("nav", { class: "view-nav", "aria-label": t("sys.title") }, ...tabs),
    ...(VIEWS.length > 0 ? VIEWS.map((name) => views[name].element) : [refusal(t)]),
    news.element,
  );
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  listenForKeys(actionOf, act, listening.signal);
  keepFocus(listening.signal);
  addEventListener("hashchange", turn, { signal: listening.signal });
  let view = null;

  /** A session that has ended leads to the login, unless something would be lost by that. */
  function refused(error) {
    if (error.status === 401 && !isUnsaved()) goToLogin();
  }

  function turn() {
    const wanted = location.hash.slice(1);
    const next = VIEWS.includes(wanted) ? wanted : VIEWS[0];
    if (next === view || next === undefined) return;
    if (view !== null) views[view].close();
    view = next;
    VIEWS.forEach((name, place) => {
      views[name].element.hidden = name !== view;
      setAttribute(tabs[place], "aria-current", name === view ? "page" : null);
    });
    views[view].open();
  }

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (view === null) return false;
    if (name.startsWith("view")) {
      const wanted = VIEWS[Number(name.at(-1)) - 1];
      if (wanted) location.hash = wanted;
      return wanted !== undefined;
    }
    return views[view].act(name) || name === "save"; // the browser's own saving is never meant
  }

  const isUnsaved = () => VIEWS.some((name) => views[name].unsaved());

  turn();
  return {
    isUnsaved,
    close: () => {
      if (view !== null) views[view].close();
      listening.abort();
    },
  };
}

/** For somebody who may do nothing here. */
function refusal(t) {
  return emptiness(
    t("sys.refused"),
    t("sys.refused.how"),
    h("a", { class: "sys-link", href: "./" }, t("sys.refused.desk")),
  );
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
