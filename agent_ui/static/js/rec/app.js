// Wires the page of recordings: the list with what stands beside it, one transcript, keys, news.
//
// In: the address bar, keys. Out: what the views draw. The only file of the page that knows all of it.

import { enter, goToLogin, leave } from "../api.js";
import { h, setAttribute } from "../dom.js";
import { keepFocus } from "../focus.js";
import { chosenLanguage, switchLanguage, wordsOf } from "../i18n.js";
import { mountKeyHelp } from "../keyhelp.js";
import { emptiness, mountNews, PART_WORDS } from "../parts.js";
import { listenForKeys } from "../presses.js";
import { mountShell, SHELL_WORDS, together } from "../shell.js";
import { mountJobList } from "./joblist.js";
import { mountJobPanel } from "./jobpanel.js";
import { addressOf, placeOf } from "./jobs.js";
import { actionOf, keyRows } from "./keys.js";
import { PAPER_WORDS } from "./paperwords.js";
import { mountReading } from "./reading.js";
import { createSender } from "./sending.js";
import { mountStrip } from "./strip.js";
import { mountUploadPanel } from "./uploadpanel.js";
import { UPLOAD_WORDS } from "./uploadwords.js";
import { JOB_WORDS } from "./words.js";

const WORDS = together(SHELL_WORDS, PART_WORDS, JOB_WORDS, UPLOAD_WORDS, PAPER_WORDS);

const session = await enter();
const sender = createSender(session.csrf);
/** What must be found again after the page was built anew in another language. */
const kept = {};
let page = mount(chosenLanguage());
addEventListener("beforeunload", (event) => {
  if (sender.isBusy() || page.isUnsaved()) event.preventDefault();
});

function mount(language) {
  const t = wordsOf(language, WORDS);
  const listening = new AbortController();
  const { signal } = listening;
  document.documentElement.lang = language;
  document.title = t("rec.title");
  const news = mountNews(t);
  const help = mountKeyHelp(t, keyRows(t("key.space")), { onClose: () => help.toggle(false), opener: () => shell.help });
  const shell = mountShell(t, {
    active: "recordings",
    session,
    onLeave: leave,
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onHelp: () => help.toggle(),
  });
  document.getElementById("page").replaceChildren(shell.element, shell.main, help.element);
  shell.main.classList.add("rec");
  keepFocus(signal);
  if (!session.scopes.includes("recordings")) {
    shell.main.append(refusal(t));
    listenForKeys(actionOf, (name) => name === "help" && help.toggle(), signal);
    return { isUnsaved: () => false, close: () => listening.abort() };
  }

  const strip = mountStrip(t, { onCancel: sender.cancel, onAgain: () => upload.again(), onDismiss: sender.dismiss });
  const list = mountJobList(t, {
    session,
    kept,
    foot: strip.foot,
    notice: strip.notice,
    refused,
    onOpen: ({ job_id: id }) => go(id),
    onNew: showUpload,
  });
  const upload = mountUploadPanel(t, {
    news,
    sender,
    kept,
    onJob: ({ job_id: id }) => {
      list.again();
      if (placeOf(location.hash).file !== null) return;
      go(id);
      turn();
      job.focus();
    },
  });
  const job = mountJobPanel(t, {
    news,
    refused,
    onFile: go,
    onChanged: (changed) => list.happen({ type: "changed", job: changed }),
    onGone: (id) => {
      list.happen({ type: "gone", jobId: id });
      go(null);
      list.focus();
    },
    onClose: () => go(null),
  });
  const desk = h("div", { class: "sys-view sys-pair rec-desk" }, list.element, upload.element, job.element);
  const reading = mountReading(t, { news, refused, onBack: () => go(placeOf(location.hash).jobId) });
  shell.main.append(desk, reading.element, news.element);
  upload.acceptDrops(shell.main, () => place.file === null, showUpload);
  listenForKeys(actionOf, act, signal);
  addEventListener("hashchange", turn, { signal });
  sender.watch((state) => {
    if (state.phase !== "rest") news.hide(); // what was said of an upload before is over
    strip.draw(state);
    upload.draw();
  });
  strip.draw(sender.state());
  upload.open();
  let place = null;

  /** A session that has ended leads to the login, unless something would be lost by that. */
  function refused(error) {
    if (error.status === 401 && !sender.isBusy() && !reading.isEditing()) goToLogin();
  }

  function go(jobId, file = null) {
    location.hash = addressOf(jobId, file);
  }

  function showUpload() {
    if (placeOf(location.hash).jobId !== null) go(null);
    turn();
    upload.focus();
    return true;
  }

  function turn() {
    const next = placeOf(location.hash);
    if (place !== null && next.jobId === place.jobId && next.file === place.file) return;
    const before = place;
    place = next;
    const isReading = next.file !== null;
    desk.hidden = isReading;
    reading.element.hidden = !isReading;
    upload.element.hidden = next.jobId !== null;
    job.element.hidden = next.jobId === null;
    if (before?.file) reading.close();
    if (isReading) {
      list.close();
      job.close();
      reading.open(next.jobId, next.file);
      return;
    }
    list.choose(next.jobId);
    list.open();
    if (next.jobId === null) {
      job.close();
      job.forget();
    } else job.open(next.jobId, list.find(next.jobId));
    if (before?.file) job.focusFile(before.file);
  }

  function act(name, event) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (place.file !== null) return reading.act(name, event);
    if (name === "new") return showUpload();
    if (name === "mine") return list.toggleMine();
    const isInFiles = job.files.hasFocus();
    if (name === "down" || name === "up") return (isInFiles ? job.files : list).move(name === "down" ? 1 : -1);
    if (name === "previous" || name === "next") {
      const by = name === "next" ? 1 : -1;
      return place.jobId !== null && job.files.turn(by) ? true : list.turn(by);
    }
    if (place.jobId === null) return false;
    if (job.act(name)) return true;
    if (name !== "back") return false;
    go(null);
    turn();
    if (!list.hasFocus()) list.focus();
    return true;
  }

  turn();
  setAttribute(shell.main, "aria-label", t("shell.recordings"));
  return {
    isUnsaved: () => reading.isEditing(),
    close: () => {
      list.close();
      job.close();
      reading.close();
      listening.abort();
    },
  };
}

/** For somebody who may do nothing here. */
function refusal(t) {
  return emptiness(
    t("rec.refused"),
    t("rec.refused.how"),
    h("a", { class: "sys-link", href: "./" }, t("rec.refused.desk")),
  );
}

function remount() {
  page.close();
  page = mount(switchLanguage());
}
