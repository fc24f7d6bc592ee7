// Wires the page of calls: the list, one call, keys, news.
//
// In: the address bar, keys. Out: what the views draw. The only file of the page that knows all of it.

import { enter, goToLogin, leave } from "../api.js";
import { h } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { emptiness, mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { PAPER_WORDS } from "../rec/paperwords.js";
import { JOB_WORDS } from "../rec/words.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { actionOf, keyRows } from "./keys.js";
import { mountCallList } from "./listview.js";
import { mountRecord } from "./recordview.js";
import { addressOf, placeOf } from "./wishes.js";
import { RECORD_WORDS } from "./words.js";

const WORDS = together(SHELL_WORDS, PART_WORDS, JOB_WORDS, PAPER_WORDS, RECORD_WORDS);

const session = await enter();
/** What must be found again after the page was built anew in another language. */
const kept = {};
let page = mount(chosenLanguage());

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  const { signal } = listening;
  document.documentElement.lang = language;
  document.title = t("calls.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, keyRows(t("key.space")), { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "records",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  shell.main.classList.add("rec", "calls-page");
  keepFocus(signal);
  if (!session.scopes.some((scope) => scope === "calls:own" || scope === "calls:all")) {
    shell.main.append(emptiness(t("rec.refused"), t("rec.refused.how"), h("a", { class: "sys-link", href: "./" }, t("rec.refused.desk"))));
    listenForKeys(actionOf, (name) => name === "help" && help.toggle(), signal);
    return { close: () => listening.abort() };
  }
  const list = mountCallList(t, { kept, news, refused, onOpen: ({ callId, atS }) => go(callId, atS) });
  const record = mountRecord(t, { news, refused, onBack: () => go(null), onGone: () => go(null) });
  shell.main.append(list.element, record.element, news.element);
  listenForKeys(actionOf, act, signal);
  addEventListener("hashchange", turn, { signal });
  let place = null;

  function refused(error) {
    if (error.status === 401) goToLogin();
  }

  function go(callId, atS = null) {
    location.hash = addressOf(callId, atS);
  }

  function turn() {
    const next = placeOf(location.hash);
    if (place !== null && next.callId === place.callId) return;
    const before = place;
    place = next;
    const isOne = next.callId !== null;
    list.element.hidden = isOne;
    record.element.hidden = !isOne;
    if (before?.callId) record.close();
    if (isOne) {
      list.close();
      record.open(next.callId, next.atS);
      return;
    }
    list.open(before?.callId ?? null);
    if (before?.callId) list.focus();
  }

  function act(name, event) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (place.callId !== null) return record.act(name, event);
    if (name === "find") return list.find();
    if (name === "down" || name === "up") return list.move(name === "down" ? 1 : -1);
    if (name === "previous" || name === "next") return list.turn(name === "next" ? 1 : -1);
    return name === "back" && list.back();
  }

  turn();
  return {
    close: () => {
      list.close();
      record.close();
      listening.abort();
    },
  };
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
