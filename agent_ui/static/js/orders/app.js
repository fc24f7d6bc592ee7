// Wires the page of work orders: boxes, the list, one order beside it, keys, a sheet for the printer.
//
// In: the address bar, keys. Out: what the parts draw. The only file of the page that knows all of it.

import { ApiError, enter, goToLogin, leave } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { button, emptiness, many, mountNews, PART_WORDS, skeleton, sorry } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { NEW } from "../sys/fields.js";
import { boxesOf, countOf, levelOf, partOf } from "./boxes.js";
import { DEED_WORDS } from "./deedwords.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { mountList } from "./list.js";
import { mountPanel } from "./panel.js";
import { sheetOf } from "./print.js";
import { readCounts, readOrder, readPast, readUnits } from "./server.js";
import { directoryOf } from "./units.js";
import { ORDER_WORDS } from "./words.js";

const WORDS = together(SHELL_WORDS, PART_WORDS, ORDER_WORDS, DEED_WORDS);
const LOOK_EVERY_MS = 15_000;

const session = await enter();
const part = partOf(session.scopes);
const printed = new URLSearchParams(location.search).get("print");
/** What must be found again after the page was built anew in another language. */
const kept = { units: directoryOf([]), counts: null };
let page = mount(chosenLanguage());
addEventListener("beforeunload", (event) => page.isUnsaved() && event.preventDefault());

function mount(language) {
  const t = wordsOf(language, WORDS);
  document.documentElement.lang = language;
  document.title = t("ord.title");
  const listening = new AbortController();
  if (part !== null && printed !== null) return mountSheet(t, listening);
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "orders",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  keepFocus(listening.signal);
  if (part === null) {
    shell.main.append(emptiness(t("ord.refused"), t("ord.refused.how")));
    listenForKeys(actionOf, (name) => name === "help" && help.toggle(), listening.signal);
    return { isUnsaved: () => false, close: () => listening.abort() };
  }
  return mountDesk(t, { shell, news, help, listening });
}

function mountDesk(t, { shell, news, help, listening }) {
  const names = boxesOf(part);
  const mayErase = session.scopes.includes("system");
  const common = { news, part, mayErase, kept, units: () => kept.units, refused };
  const list = mountList(t, { ...common, onOpen: (id) => go({ id }), onNew: () => go({ id: NEW }) });
  const panel = mountPanel(t, { ...common, onOpen: (id) => go({ id }), onChanged: changed });
  const badges = names.map((name) => h("span", { class: "view-badge", "data-level": levelOf(name) }));
  const tabs = names.map((name, place) =>
    h("a", { href: `#${name}`, title: `${t(`box.${name}`)} (${place + 1})` }, t(`box.${name}`), badges[place]),
  );
  shell.main.append(
    h("nav", { class: "view-nav", "aria-label": t("ord.title") }, ...tabs),
    h("div", { class: "sys-view sys-pair ord-pair" }, list.element, panel.element),
    news.element,
  );
  listenForKeys(actionOf, act, listening.signal);
  addEventListener("hashchange", turn, { signal: listening.signal });
  const timer = setInterval(look, LOOK_EVERY_MS);
  let isFirst = true;

  /** A session that has ended leads to the login, unless something would be lost by that. */
  function refused(error) {
    if (error.status === 401 && !panel.unsaved()) goToLogin();
  }

  function go({ id }) {
    location.hash = id === null ? kept.box : `${kept.box}/${id}`;
    if (id !== null && id === kept.chosen) panel.focus();
  }

  /** Show what the address asks for: a box, and perhaps an order of it. */
  function turn() {
    const [asked, id = null] = decodeURIComponent(location.hash.slice(1)).split("/");
    const box = names.includes(asked) ? asked : names[0];
    const isOtherBox = box !== kept.box || isFirst;
    if (box !== kept.box) kept.offset = 0;
    kept.box = box;
    names.forEach((name, place) => setAttribute(tabs[place], "aria-current", name === box ? "page" : null));
    if (id !== kept.chosen || isFirst) {
      kept.chosen = id;
      panel.open(id);
      if (!isOtherBox) list.mark();
    }
    isFirst = false;
    if (isOtherBox) {
      list.refresh();
      count();
    }
  }

  async function count() {
    try {
      kept.counts = await readCounts(listening.signal);
      drawCounts();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      refused(error);
    }
  }

  function drawCounts() {
    if (kept.counts === null) return;
    names.forEach((name, place) => {
      const found = countOf(name, kept.counts);
      setText(badges[place], found > 0 ? many(found, t) : "");
    });
  }

  /** An order changed under one's own hands. */
  function changed(order) {
    list.update(order);
    list.look();
    count();
  }

  function look() {
    if (document.hidden) return;
    list.look();
    panel.look();
    count();
  }

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name.startsWith("box")) {
      const wanted = names[Number(name.at(-1)) - 1];
      if (wanted) location.hash = wanted;
      return wanted !== undefined;
    }
    if (name === "again") look();
    if (panel.act(name) || list.act(name)) return true;
    if (name === "back" && kept.chosen !== null) {
      go({ id: null });
      list.focus();
      return true;
    }
    return name === "save"; // the browser's own saving is never meant
  }

  async function start() {
    drawCounts();
    if (kept.units.names.length === 0) {
      try {
        kept.units = directoryOf(await readUnits());
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        refused(error);
      }
    }
    list.offerUnits(kept.units);
    turn();
  }

  start();
  return {
    isUnsaved: panel.unsaved,
    close: () => {
      clearInterval(timer);
      list.close();
      panel.close();
      listening.abort();
    },
  };
}

/** The sheet alone, with two buttons that are not printed. */
function mountSheet(t, listening) {
  const place = h("main", { class: "paper-place" }, skeleton(8));
  const back = `orders#all/${encodeURIComponent(printed)}`;
  const tools = h(
    "div",
    { class: "paper-tools" },
    button(t("print.go"), () => print(), { class: "primary" }),
    h("a", { class: "sys-link", href: back }, t("print.back")),
    button(t("app.language"), remount, { class: "quiet", title: t("app.language.tip") }),
  );
  document.getElementById("page").replaceChildren(tools, place);
  document.documentElement.dataset.paper = "true";

  async function read() {
    try {
      const [order, past, units] = await Promise.all([readOrder(printed), readPast(printed), readUnits()]);
      place.replaceChildren(sheetOf(t, { order, past, units: directoryOf(units) }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) goToLogin();
      place.replaceChildren(sorry(error, t, read));
    }
  }

  read();
  return { isUnsaved: () => false, close: () => listening.abort() };
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
