// Wires the watch page: who may see which view, keys, the bell, news.
//
// In: the address bar, keys, the stream of the list. Out: what the views draw. The only file that knows them all.

import { ALARM_WORDS } from "../alarm_words.js";
import { enter, goToLogin, leave } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { emptiness, mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { createBell } from "./bell.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { mountLists } from "./lists.js";
import { LIST_WORDS } from "./listwords.js";
import { mountLive, watchList } from "./live.js";
import { mountMine, mountQuality } from "./quality.js";
import { WATCH_WORDS } from "./words.js";

const MOUNT = { live: mountLive, lists: mountLists, quality: mountQuality, mine: mountMine };
const WORDS = together(SHELL_WORDS, PART_WORDS, ALARM_WORDS, WATCH_WORDS, LIST_WORDS);

const session = await enter();
const seesAll = session.scopes.includes("calls:all");
const VIEWS = viewsFor(session);
const kept = Object.fromEntries(VIEWS.map((name) => [name, {}]));
const bell = createBell();
let page = null;
const watched = seesAll ? watchList(() => page?.draw()) : null;
page = mount(chosenLanguage());
bell.onChange(() => page.draw());

/** Supervisors see the whole house; whoever has a seat sees how the own calls were judged. */
function viewsFor({ operator_id: seat }) {
  const all = seesAll ? ["live", "lists", "quality"] : [];
  return [...all, ...(seat ? ["mine"] : [])];
}

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  document.documentElement.lang = language;
  document.title = t("watch.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "watch",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  const badge = h("span", { class: "view-badge", "data-level": "bad" });
  const views = {};
  for (const name of VIEWS) {
    views[name] = MOUNT[name](t, { watched, news, bell, session, kept: kept[name], refused });
  }
  const tabs = VIEWS.map((name, place) => {
    const label = t(`view.${name}`);
    return h("a", { href: `#${name}`, title: `${label} (${place + 1})` }, label, name === "live" ? badge : "");
  });
  shell.main.append(
    h("nav", { class: "view-nav", "aria-label": t("watch.views") }, ...tabs),
    ...(VIEWS.length > 0 ? VIEWS.map((name) => views[name].element) : [refusal(t)]),
    news.element,
  );
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  listenForKeys(actionOf, act, listening.signal);
  keepFocus(listening.signal);
  addEventListener("hashchange", turn, { signal: listening.signal });
  let view = null;

  function refused(error) {
    if (error.status === 401) goToLogin();
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
    return views[view].act(name);
  }

  function draw() {
    if (watched === null) return;
    const waiting = watched.list.alarms.filter((alarm) => !alarm.taken_at);
    const open = waiting.length;
    bell.update(waiting.map((alarm) => alarm.alarm_id));
    setText(badge, open > 0 ? String(open) : "");
    document.title = open > 0 ? t("watch.titleOpen", { count: open }) : t("watch.title");
    views.live.draw();
  }

  turn();
  draw();
  return {
    draw,
    close: () => {
      if (view !== null) views[view].close();
      listening.abort();
    },
  };
}

/** For somebody who may do nothing here. */
function refusal(t) {
  return emptiness(
    t("watch.refused"),
    t("watch.refused.how"),
    h("a", { class: "sys-link", href: "./" }, t("watch.refused.desk")),
  );
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
