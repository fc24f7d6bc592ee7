// One job beside the list: where it stands, what may be done with it, its files.
//
// In: a job's identifier. Out: a panel that is read again every two seconds; calls of `onFile`, `onGone`.
// Not known here: transcripts.

import { h, setAttribute, setText } from "../dom.js";
import { focusOn } from "../focus.js";
import { button, emptiness, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { mountFileList } from "./filelist.js";
import { mountFormats } from "./formats.js";
import { FILES_PAGE, filesText, isAlive, leftText, lengthText, mayRetry, mayStop, shareOver, speedText } from "./jobs.js";
import { deleteJob, fetchResults, readJob, retryJob, stopJob } from "./server.js";
import { mountWatch } from "./watching.js";

const EVERY_MS = 2000;

/** @param {{news, refused: (error) => void, onFile: (jobId, number) => void, onChanged: (job) => void,
 *   onGone: (jobId) => void, onClose: () => void}} page */
export function mountJobPanel(t, page) {
  const { news } = page;
  let jobId = null;
  let job = null;
  const name = h("h2");
  const facts = h("p", { class: "sys-hint" });
  const state = h("b", { role: "status" });
  const count = h("span");
  const left = h("span");
  const bar = h("progress", { max: "1", value: "0", "aria-label": t("job.progress") });
  const how = h("p", { class: "sys-hint" });
  const trouble = h("p", { class: "rec-trouble", role: "alert" });
  const stop = button(t("job.stop"), () => work(stop, halt), { title: t("job.stop.tip") });
  const retry = button("", () => work(retry, again), { title: t("job.retry.tip") });
  const remove = button(t("job.delete"), () => confirm(true), { title: t("job.delete.tip") });
  const sure = h("p");
  const yes = button(t("job.delete.yes"), () => work(yes, destroy), { class: "rec-danger" });
  const no = button(t("job.delete.no"), () => confirm(false), { title: "Esc" });
  const asking = h("div", { class: "rec-sure", role: "alertdialog", hidden: true }, sure, yes, no);
  asking.setAttribute("aria-label", t("job.delete"));
  const formats = mountFormats(t, {
    label: t("format.all"),
    news,
    fetch: (format) => fetchResults(jobId, format),
    nameOf: () => `${job.name}.zip`,
  });
  const notYours = h("p", { class: "sys-hint" }, t("job.notYours"));
  const deeds = [
    h("div", { class: "sys-row" }, stop, retry, remove, notYours),
    h("div", { class: "sys-row" }, formats.element),
  ];
  const files = mountFileList(t, { onOpen: (number) => page.onFile(jobId, number), onAsk: () => watch.now() });
  const body = h(
    "div",
    { class: "rec-job" },
    h(
      "div",
      { class: "rec-job-head" },
      name,
      button(t("job.close"), page.onClose, { title: "Esc" }),
      facts,
    ),
    h("div", { class: "rec-job-state" }, h("p", {}, state, count, left), bar, how, trouble),
    h("div", { class: "rec-deeds" }, ...deeds, asking),
    files.element,
  );
  const said = h("div");
  const element = h("aside", { class: "sys-side rec-side", "aria-label": t("job.panel") }, said, body);
  const watch = mountWatch(read, EVERY_MS);

  async function read(signal) {
    const mine = jobId;
    const { offset, state: wanted } = files.asked();
    try {
      const answer = await readJob(mine, { offset, limit: FILES_PAGE, state: wanted }, signal);
      if (mine !== jobId) return;
      draw(answer.job);
      files.show(answer.job, answer.files);
      page.onChanged(answer.job);
    } catch (error) {
      if (error.name === "AbortError" || mine !== jobId) throw error;
      page.refused(error);
      reasonOf(error, t); // anything but an answer of the server is a fault of ours
      if (error.status === 404) {
        const back = button(t("job.back"), page.onClose);
        say(emptiness(t("job.gone"), t("job.gone.how", { code: error.code }), back));
      } else if (job === null) say(sorry(error, t, watch.now));
      // What is shown stays; the list says how old it is.
    }
  }

  function say(words) {
    said.replaceChildren(words);
    said.hidden = false;
    body.hidden = true;
  }

  function draw(next) {
    job = next;
    said.hidden = true;
    body.hidden = false;
    setText(name, job.name);
    name.title = job.name;
    setText(facts, factsText(job));
    setText(state, t(`job.${job.state}`));
    setAttribute(state, "data-mark", job.state === "failed" ? "bad" : job.state === "cancelled" ? "look" : null);
    setText(count, filesText(job, t));
    const rest = leftText(job, t);
    setText(left, rest === "—" ? "" : `${t("col.left")}${t.language === "en" ? ": " : ""}${rest}`);
    bar.value = shareOver(job);
    setText(how, howText(job));
    setText(trouble, troubleText(job));
    setAttribute(trouble, "data-level", job.error ? null : "look");
    drawDeeds();
  }

  function troubleText({ error, elsewhere }) {
    if (error) return t("error.said", error);
    return elsewhere ? t("job.elsewhere", { server: elsewhere }) : "";
  }

  function drawDeeds() {
    const { failed, done, waiting, total } = job.files;
    notYours.hidden = job.is_mine;
    stop.hidden = !mayStop(job);
    retry.hidden = !mayRetry(job);
    setText(retry, waiting > 0 ? t("job.goOn") : t("job.retry", { count: failed }));
    remove.hidden = !job.is_mine;
    formats.allow(done > 0 && !job.elsewhere);
    setText(sure, t(isAlive(job) ? "job.delete.sureRunning" : "job.delete.sure", { count: total }));
  }

  function factsText({ owner: who, created_at: at, done_s: doneS }) {
    const length = lengthText(doneS, t);
    const speed = speedText(job, t);
    return [
      t("job.facts", { who, when: moment(at, t) }),
      ...(length === "—" ? [] : [t("job.fact.length", { length })]),
      ...(speed === "—" ? [] : [t("job.fact.speed", { speed })]),
    ].join(" · ");
  }

  function howText({ channels, left: party, beam, words }) {
    return [
      `${t("wish.channels")}${t.language === "en" ? ": " : ""}${t(`wish.channels.${channels}`)}`,
      ...(channels === "mono" ? [] : [t("wish.said.left", { party: t(`party.${party}`) })]),
      t(beam > 1 ? "wish.beam.5" : "wish.beam.1"),
      t(words ? "wish.said.words" : "wish.said.noWords"),
    ].join(" · ");
  }

  function work(from, deed) {
    return whileWorking(from, deed, (error) => news.tell(reasonOf(error, t), { level: "bad" }));
  }

  async function halt() {
    draw(await stopJob(jobId));
    page.onChanged(job);
    news.tell(t("job.stopped"));
    retry.focus();
  }

  async function again() {
    draw(await retryJob(jobId));
    page.onChanged(job);
    news.tell(t("job.retried"));
    stop.focus();
    await watch.now();
  }

  async function destroy() {
    const { job_id: goneId, name: goneName } = job;
    watch.stop();
    try {
      await deleteJob(goneId);
    } catch (error) {
      watch.start();
      throw error;
    }
    news.tell(t("job.deleted", { name: goneName }));
    page.onGone(goneId);
  }

  /** Ask once more before something goes for good; the focus is on what keeps it. */
  function confirm(isAsked) {
    asking.hidden = !isAsked;
    for (const row of deeds) row.hidden = isAsked;
    if (isAsked) no.focus();
    else remove.focus();
  }

  /** @param {object|null} known the job, where the list has it */
  function open(id, known) {
    if (id !== jobId) {
      jobId = id;
      job = null;
      asking.hidden = true;
      for (const row of deeds) row.hidden = false;
      files.clear();
      if (known) draw(known);
      else say(skeleton(6));
    }
    watch.start();
  }

  function act(name) {
    if (name === "back" && !asking.hidden) return (confirm(false), true);
    if (job === null) return false;
    if (name === "save") return formats.save();
    if (name === "stop" && !stop.hidden) return (work(stop, halt), true);
    if (name === "retry" && !retry.hidden) return (work(retry, again), true);
    if (name === "delete" && job.is_mine) return (confirm(true), true);
    return false;
  }

  return {
    element,
    open,
    act,
    files,
    close: watch.stop,
    forget: () => ((jobId = null), (job = null)),
    focus: () => focusOn(element),
    focusFile: (number) => files.focus(number),
  };
}
