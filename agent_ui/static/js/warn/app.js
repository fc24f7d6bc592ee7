// Wires the page of warnings: boxes, the list, one warning beside it, how the early warning fares, keys.
//
// In: the address bar, keys. Out: what the parts draw. The only file of the page that knows all of it.

import { ALARM_WORDS } from "../alarm_words.js";
import { ApiError, enter, goToLogin, leave } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { directoryOf } from "../orders/units.js";
import { emptiness, many, mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { BOXES, countOf, placeOf } from "./deeds.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { mountList } from "./list.js";
import { mountLookout } from "./lookout.js";
import { mountPanel } from "./panel.js";
import { readUnits } from "./server.js";
import { nameOf, whereOf } from "./telling.js";
import { WARN_WORDS } from "./words.js";

const WORDS = together(SHELL_WORDS, PART_WORDS, ALARM_WORDS, WARN_WORDS);
const LOOK_EVERY_MS = 5_000;
const BOX_NAMES = Object.keys(BOXES);
const LEVELS = { open: "bad", seen: null, muted: "quiet", closed: "quiet", all: "quiet" };

const session = await enter();
const seesCalls = session.scopes.includes("calls:all");
const seesWarnings = seesCalls || session.scopes.includes("orders:department");
/** What must be found again after the page was built anew in another language. */
const kept = { units: directoryOf([]), districts: [], counts: null, known: null };
let page = mount(chosenLanguage());

function mount(language) {
  const t = wordsOf(language, WORDS);
  document.documentElement.lang = language;
  document.title = t("warn.title");
  const listening = new AbortController();
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "warnings",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  keepFocus(listening.signal);
  if (!seesWarnings) {
    shell.main.append(emptiness(t("warn.refused"), t("warn.refused.how")));
    listenForKeys(actionOf, (name) => name === "help" && help.toggle(), listening.signal);
    return { close: () => listening.abort() };
  }
  return mountDesk(t, { shell, news, help, listening });
}

function mountDesk(t, { shell, news, help, listening }) {
  const common = { news, kept, refused, seesCalls, units: () => kept.units };
  const list = mountList(t, { ...common, onOpen: (id) => go(id), onRead: read });
  const panel = mountPanel(t, { ...common, onChanged: changed });
  const lookout = mountLookout(t, {
    ...common,
    seesSystem: session.scopes.includes("system"),
    onOpen: openLookout,
    onClose: closeLookout,
  });
  const badges = BOX_NAMES.map((name) => h("span", { class: "view-badge", "data-level": LEVELS[name] }));
  const tabs = BOX_NAMES.map((name, place) =>
    h("a", { href: `#${name}`, title: `${t(`box.${name}`)} (${place + 1})` }, t(`box.${name}`), badges[place]),
  );
  const said = h("p", { class: "offscreen", role: "alert" });
  if (seesCalls) list.foot.prepend(lookout.line);
  shell.main.append(
    h("nav", { class: "view-nav", "aria-label": t("warn.title") }, ...tabs),
    h("div", { class: "sys-view sys-pair ord-pair" }, list.element, panel.element, lookout.element),
    news.element,
    said,
  );
  listenForKeys(actionOf, act, listening.signal);
  addEventListener("hashchange", turn, { signal: listening.signal });
  const timer = setInterval(look, LOOK_EVERY_MS);
  let isFirst = true;

  function refused(error) {
    if (error.status === 401) goToLogin();
  }

  function go(id) {
    const wanted = id === null ? kept.box : `${kept.box}/${id}`;
    if (lookout.isOpen()) closeLookout();
    if (location.hash.slice(1) !== wanted) location.hash = wanted;
    else if (id !== null) panel.focus();
  }

  /** Show what the address asks for: a box, and perhaps a warning of it. */
  function turn() {
    const { box, id } = placeOf(location.hash);
    const isOtherBox = box !== kept.box || isFirst;
    if (box !== kept.box) kept.offset = 0;
    kept.box = box;
    BOX_NAMES.forEach((name, place) => setAttribute(tabs[place], "aria-current", name === box ? "page" : null));
    if (id !== kept.chosen || isFirst) {
      kept.chosen = id;
      panel.open(id);
      if (!isOtherBox) list.mark();
    }
    isFirst = false;
    if (isOtherBox) list.refresh();
  }

  /** What came with a list: how many stand where, and whether anything is new. */
  function read(found) {
    const isChanged = kept.newest !== undefined && kept.newest !== found.newest_step;
    kept.newest = found.newest_step;
    kept.counts = found.counts;
    BOX_NAMES.forEach((name, place) => {
      const count = countOf(name, found.counts);
      setText(badges[place], count > 0 ? many(count, t) : "");
    });
    const open = countOf("open", found.counts);
    document.title = open > 0 ? t("warn.titleOpen", { count: many(open, t) }) : t("warn.title");
    sayNew(found.warnings);
    if (isChanged && !panel.hasDraft()) panel.look();
  }

  /** Tell of warnings that came while the page was open. */
  function sayNew(warnings) {
    const open = warnings.filter(({ state }) => state === "open");
    const fresh = kept.known === null ? [] : open.filter(({ warning_id: id }) => !kept.known.has(id));
    kept.known ??= new Set();
    for (const { warning_id: id } of open) kept.known.add(id);
    if (fresh.length === 0) return;
    const names = fresh.map((one) => `${whereOf(one, t)} ${nameOf(one, t)}`).join(t("warn.comma"));
    setText(said, t("warn.new", { names }));
    if (kept.box === "open" || kept.box === "all") news.tell(t("warn.new", { names }), {});
  }

  /** A warning changed under one's own hands. */
  function changed(warning) {
    list.update(warning);
    list.look();
    if (seesCalls) lookout.look();
  }

  function look() {
    if (document.hidden) return;
    list.look();
    if (seesCalls) lookout.look();
  }

  function openLookout() {
    panel.element.hidden = true;
    lookout.open();
  }

  function closeLookout() {
    if (!lookout.close()) return false;
    panel.element.hidden = false;
    lookout.line.focus();
    return true;
  }

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name.startsWith("box")) {
      location.hash = BOX_NAMES[Number(name.at(-1)) - 1];
      return true;
    }
    if (name === "lookout") return seesCalls && (lookout.isOpen() ? closeLookout() : openLookout(), true);
    if (name === "back" && closeLookout()) return true;
    if (name === "undo" && news.undo()) return true;
    if (name === "again") (look(), panel.look());
    if ((!lookout.isOpen() && panel.act(name)) || list.act(name)) return true;
    if (name === "back" && kept.chosen !== null) {
      go(null);
      list.focus();
      return true;
    }
    return false;
  }

  async function start() {
    turn();
    if (seesCalls) lookout.look();
    if (kept.units.names.length > 0) return list.offerDistricts(kept.districts);
    try {
      const units = await readUnits();
      kept.units = directoryOf(units);
      kept.districts = units.filter(({ kind }) => kind === "区县").map(({ name }) => name);
      list.offerDistricts(kept.districts);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      refused(error);
    }
  }

  start();
  return {
    close: () => {
      clearInterval(timer);
      list.close();
      panel.close();
      lookout.stop();
      listening.abort();
    },
  };
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
