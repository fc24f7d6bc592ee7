// Wires the knowledge page: views, keys, news, the panel for trying out; what one view learns the others hear.
//
// In: the address bar, keys. Out: what the views draw. The only file of the page that knows all of it.

import { enter, goToLogin, leave } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { mountArticles } from "./articles.js";
import { openDrafts } from "./drafts.js";
import { EDITOR_WORDS } from "./editorwords.js";
import { mountGaps } from "./gaps.js";
import { mountImporting } from "./importing.js";
import { actionOf, KEY_ROWS } from "./keys.js";
import { LEARN_WORDS } from "./learnwords.js";
import { mountPublish } from "./publish.js";
import { readArticle, readChanges, readSurvey } from "./server.js";
import { TRY_WORDS } from "../try/words.js";
import { mountTry } from "./try.js";
import { VIEW_WORDS } from "./viewwords.js";
import { LIST_WORDS } from "./words.js";

const VIEWS = ["articles", "publish", "import", "gaps"];
const SETTLE_MS = 3000;
const WORDS = together(TRY_WORDS, SHELL_WORDS, PART_WORDS, LIST_WORDS, EDITOR_WORDS, VIEW_WORDS, LEARN_WORDS);

const session = await enter();
const drafts = openDrafts(localStorage);
let survey = null;
let pending = new Set();
let settling = 0;
let page = mount(chosenLanguage());
learn();

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  document.documentElement.lang = language;
  document.title = t("kb.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, KEY_ROWS, { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "knowledge",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  const trial = mountTry(t, {
    // The panel lies over the editor.
    onOpen: (id) => (trial.toggle(false), openArticle(id)),
    opener: () => tryButton,
  });
  const articles = mountArticles(t, {
    news,
    drafts,
    survey: () => survey,
    // Before the first publish everything waits: a mark on every row would say nothing.
    pending: () => (survey && pending.size >= survey.total ? new Set() : pending),
    onChanged: settle,
  });
  const views = {
    articles: { ...articles, open: articles.redraw },
    publish: mountPublish(t, { news, onChanges: note, onOpen: openArticle }),
    import: mountImporting(t, { news, onImported: () => (articles.refresh(), settle()) }),
    gaps: mountGaps(t, {
      news,
      onChanged: () => (articles.refresh(), settle()),
      onOpen: openArticle,
      onTry: trial.tryWords,
    }),
  };
  const counts = Object.fromEntries(VIEWS.map((name) => [name, h("span", { class: "view-badge" })]));
  const tabs = VIEWS.map((name, place) =>
    h(
      "a",
      { href: `#${name}`, title: `${t(`view.${name}`)} (${place + 1})` },
      t(`view.${name}`),
      counts[name],
    ),
  );
  const tryButton = h(
    "button",
    { type: "button", class: "kb-try-button", title: t("try.key"), onclick: () => trial.toggle() },
    t("try.title"),
    h("kbd", { "aria-hidden": "true" }, "T"),
  );
  shell.main.append(
    h("nav", { class: "view-nav", "aria-label": t("kb.title") }, ...tabs, tryButton),
    ...VIEWS.map((name) => views[name].element),
    trial.element,
    news.element,
  );
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  listenForKeys(actionOf, act, listening.signal);
  keepFocus(listening.signal);
  addEventListener("hashchange", turn, { signal: listening.signal });
  addEventListener("pagehide", articles.flush, { signal: listening.signal });
  let view = null;

  function turn() {
    const wanted = location.hash.slice(1);
    const next = VIEWS.includes(wanted) ? wanted : "articles";
    if (next === view) return;
    if (view !== null) views[view].close();
    view = next;
    VIEWS.forEach((name, place) => {
      views[name].element.hidden = name !== view;
      setAttribute(tabs[place], "aria-current", name === view ? "page" : null);
    });
    views[view].open();
  }

  async function openArticle(id) {
    location.hash = "articles";
    turn();
    try {
      articles.openArticle(await readArticle(id));
    } catch (error) {
      if (!error.code) throw error;
      news.tell(t("error.said", { message: error.message, code: error.code }), { level: "bad" });
    }
  }

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name === "back" && trial.isOpen()) return trial.toggle(false);
    if (name === "try") return (trial.toggle(true), true);
    if (name.startsWith("view")) return ((location.hash = VIEWS[Number(name.at(-1)) - 1]), true);
    if (name === "save" && view !== "articles") return true;
    return view === "articles" ? articles.act(name) : false;
  }

  function draw() {
    setText(counts.publish, pending.size > 0 ? String(pending.size) : "");
    setAttribute(
      counts.publish,
      "title",
      pending.size > 0 ? t("view.pending", { count: pending.size }) : null,
    );
    articles.redraw();
  }

  turn();
  return {
    draw,
    languageButton: shell.language,
    close: () => {
      articles.close();
      views[view].close();
      listening.abort();
    },
  };
}

function remount() {
  page.close();
  page = mount(switchLanguage());
  page.draw();
  page.languageButton.focus();
}

/** After a change: the words in use and what waits to be published, when things have settled. */
function settle() {
  clearTimeout(settling);
  settling = setTimeout(learn, SETTLE_MS);
}

async function learn() {
  try {
    survey = await readSurvey();
    page.draw();
    note(await readChanges());
  } catch (error) {
    if (!error.code) throw error;
    if (error.status === 401) goToLogin();
  }
}

function note({ added, changed, removed }) {
  pending = new Set([...added, ...changed, ...removed]);
  page.draw();
}
