// Wires the page of reports: the list, the report that is open, files, keys, news.
//
// In: the address bar, keys. Out: what the list and the paper draw. The only file of the page that knows all of it.

import { enter, goToLogin, leave } from "../api.js";
import { h, saveFile, setAttribute } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { button, emptiness, mountNews, PART_WORDS, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { mountList } from "./list.js";
import { paperOf } from "./paper.js";
import { fetchFile, readReport, removeReport, restoreReport } from "./server.js";
import { REPORT_WORDS } from "./words.js";

const WORDS = together(SHELL_WORDS, PART_WORDS, REPORT_WORDS);
const FORMS = ["pdf", "docx", "xlsx"];

const session = await enter();
const seesAll = session.scopes.includes("calls:all");
const isDepartment = !seesAll && session.scopes.includes("orders:department");
const kept = {};
let page = mount(chosenLanguage());

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  const { signal } = listening;
  document.documentElement.lang = language;
  document.title = t("reports.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "reports",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  shell.main.classList.add("reports-page");
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  keepFocus(signal);
  if (!seesAll && !isDepartment) {
    shell.main.append(emptiness(t("reports.refused"), t("reports.refused.how"), h("a", { class: "sys-link", href: "./" }, t("reports.refused.desk"))));
    listenForKeys(actionOf, (name) => name === "help" && help.toggle(), signal);
    return { close: () => listening.abort() };
  }
  const list = mountList(t, { kept, isDepartment, refused, onOpen: go });
  const files = FORMS.map((form, place) =>
    button(t(`form.${form}`), (event) => save(event.currentTarget, form), { title: `${t(`form.${form}.tip`)} (${place + 1})`, "data-form": form }),
  );
  const print = button(t("report.print"), () => globalThis.print(), { title: `${t("report.print")} (P)` });
  const remove = button(t("report.remove"), () => takeAway(), { class: "quiet", title: `${t("report.remove")} (X)` });
  const tools = h("div", { class: "report-tools", hidden: true }, ...files, print, remove);
  const scroll = h("div", { class: "report-scroll" });
  const reading = h("section", { class: "report-reading", "aria-label": t("report.reading") }, tools, scroll);
  shell.main.append(list.element, reading, news.element);
  listenForKeys(actionOf, act, signal);
  addEventListener("hashchange", turn, { signal });
  let asking = null;
  let open = null;

  function refused(error) {
    if (error.status === 401) goToLogin();
  }

  function go(id) {
    if (location.hash === `#${id}`) turn();
    else location.hash = id;
  }

  async function turn() {
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted.startsWith("warning=")) {
      list.make(true, wanted.slice("warning=".length));
      return;
    }
    list.mark(wanted || null);
    asking?.abort();
    asking = new AbortController();
    tools.hidden = !wanted;
    if (!wanted) {
      open = null;
      scroll.replaceChildren(emptiness(t("report.closed"), t("report.closed.how")));
      return;
    }
    if (open !== wanted) scroll.replaceChildren(skeleton(10));
    try {
      const answer = await readReport(wanted, asking.signal);
      open = wanted;
      document.title = `${answer.content.title} · ${t("reports.brand")}`;
      scroll.replaceChildren(paperOf(t, answer));
      scroll.scrollTop = 0;
    } catch (error) {
      if (error.name === "AbortError") return;
      open = null;
      tools.hidden = true;
      refused(error);
      scroll.replaceChildren(sorry(error, t, turn));
    }
  }

  function save(element, form) {
    const id = open;
    if (id === null) return;
    whileWorking(
      element,
      async () => {
        const title = scroll.querySelector(".report-title").textContent;
        news.tell(t("report.writing"));
        const file = await fetchFile(id, form);
        saveFile(file, `${title.replace(/[\\/:*?"<>|“” ]/g, "")}.${form}`);
        news.tell(t("report.saved", { form: t(`form.${form}`) }));
      },
      failed,
    );
  }

  function takeAway() {
    const id = open;
    if (id === null) return;
    whileWorking(
      remove,
      async () => {
        await removeReport(id);
        location.hash = "";
        await list.read();
        list.focus();
        news.tell(t("report.removed"), { undo: () => bringBack(id) });
      },
      failed,
    );
  }

  async function bringBack(id) {
    try {
      await restoreReport(id);
      await list.read();
      go(id);
      news.tell(t("report.back"));
    } catch (error) {
      failed(error);
    }
  }

  function failed(error) {
    refused(error);
    news.tell(reasonOf(error, t), { level: "bad" });
  }

  /** The next chapter, or the one before, from the one whose head is the first below the top. */
  function moveChapter(by) {
    const heads = [...scroll.querySelectorAll(".report-chapter > h3")];
    if (heads.length === 0) return false;
    const top = scroll.getBoundingClientRect().top + 24;
    const tops = heads.map((head) => head.getBoundingClientRect().top);
    const next = by > 0 ? tops.findIndex((at) => at > top + 1) : tops.findLastIndex((at) => at < top - 25);
    if (next < 0) return false;
    heads[next].scrollIntoView({ block: "start" });
    heads[next].focus({ preventScroll: true });
    return true;
  }

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name === "back") return list.back() || (reading.contains(document.activeElement) && list.focus());
    if (name === "down" || name === "up") {
      return reading.contains(document.activeElement) ? false : list.move(name === "down" ? 1 : -1);
    }
    if (name === "previous" || name === "next") return list.turn(name === "next" ? 1 : -1);
    if (name === "new") return list.make(true);
    if (name === "again") return (list.read(), true);
    if (name === "before" || name === "after") return moveChapter(name === "after" ? 1 : -1);
    if (open === null) return false;
    if (FORMS.includes(name)) return (files[FORMS.indexOf(name)].click(), true);
    if (name === "print") return (print.click(), true);
    if (name === "remove") return (remove.click(), true);
    return false;
  }

  list.read().then(() => {
    if (!location.hash && list.newest() !== null) history.replaceState(null, "", `#${list.newest()}`);
    turn();
  });
  setAttribute(scroll, "tabindex", "0");
  setAttribute(scroll, "role", "region");
  setAttribute(scroll, "aria-label", t("report.reading"));
  return {
    close: () => {
      list.close();
      asking?.abort();
      listening.abort();
    },
  };
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
