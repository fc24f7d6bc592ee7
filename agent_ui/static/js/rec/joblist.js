// The list of jobs: read again every two seconds, drawn in place, walked through by keys.
//
// In: whose jobs are wanted. Out: a table, and calls of `onOpen`. Not known here: what stands beside it.

import { h, setAttribute, setText } from "../dom.js";
import { clockTime } from "../format.js";
import { button, emptiness, moment, reasonOf, sorry } from "../parts.js";
import { mountPager, mountTabs } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { filesText, JOBS_PAGE, leftText, lengthText, noJobs, reduceJobs, speedText } from "./jobs.js";
import { readJobs } from "./server.js";
import { mountWatch } from "./watching.js";

const EVERY_MS = 2000;
const MARKS = { failed: "bad", cancelled: "look" };

/** @param {{session, kept: object, foot: Element, notice: Element, refused: (error) => void, onOpen: (job) => void,
 *   onNew: () => void}} page */
export function mountJobList(t, page) {
  const { kept } = page;
  kept.list ??= noJobs();
  let chosen = null;
  const seesAll = page.session.scopes.includes("calls:all");
  const table = mountTable(t, {
    label: t("jobs.title"),
    key: ({ job_id: id }) => id,
    onOpen: page.onOpen,
    columns: [
      { name: "job", label: t("col.job"), cell: ({ name }) => ({ text: name, title: name }) },
      {
        name: "jobstate",
        label: t("col.state"),
        cell: ({ state }) => ({ text: t(`job.${state}`), mark: MARKS[state] }),
      },
      { name: "files", label: t("col.files"), cell: filesCell },
      { name: "length", label: t("col.length"), cell: ({ done_s: doneS }) => lengthText(doneS, t) },
      { name: "speed", label: t("col.speed"), cell: (job) => speedText(job, t) },
      { name: "left", label: t("col.left"), cell: (job) => leftText(job, t) },
      ...(seesAll ? [{ name: "owner", label: t("col.who"), cell: ({ owner }) => ownerCell(owner) }] : []),
      { name: "when", label: t("col.when"), cell: ({ created_at: at }) => moment(at, t) },
    ],
  });
  const whose = mountTabs({
    names: ["all", "mine"],
    label: t("jobs.whose"),
    text: (name) => t(`jobs.${name}`),
    chosen: kept.list.isMine ? "mine" : "all",
    onChoose: (name) => {
      happen({ type: "mine", isMine: name === "mine" });
      watch.now();
    },
  });
  const fresh = button(t("jobs.new"), page.onNew, { class: "primary", title: `${t("jobs.new")} (N)` });
  fresh.append(h("kbd", { "aria-hidden": "true" }, "N"));
  const pager = mountPager(t, {
    size: JOBS_PAGE,
    onTurn: (offset) => {
      happen({ type: "turned", offset });
      watch.now();
    },
  });
  const stale = h("span", { class: "sys-hint", role: "status" });
  const element = h(
    "section",
    { class: "sys-main rec-list", "aria-label": t("jobs.title") },
    h(
      "div",
      { class: "sys-head" },
      h("h2", {}, t("jobs.title")),
      seesAll ? whose.element : "",
      h("span", { class: "rec-far" }, fresh),
    ),
    table.element,
    h("div", { class: "sys-foot" }, page.foot, stale, pager.element),
    page.notice,
  );
  const watch = mountWatch(read, EVERY_MS);

  function filesCell(job) {
    const { failed } = job.files;
    const sub = failed > 0 ? t("job.notDone", { count: failed }) : "";
    return { text: filesText(job, t), sub, subMark: "look", title: sub };
  }

  const ownerCell = (owner) => ({ text: owner, title: owner });

  async function read(signal) {
    const { offset, isMine } = kept.list;
    try {
      const { jobs, total } = await readJobs({ offset, limit: JOBS_PAGE, mine: isMine }, signal);
      happen({ type: "came", jobs, total, atMs: Date.now() });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      page.refused(error);
      reasonOf(error, t); // anything but an answer of the server is a fault of ours
      happen({ type: "failed", error });
    }
  }

  function happen(event) {
    kept.list = reduceJobs(kept.list, event);
    draw();
  }

  function draw() {
    const { jobs, total, offset, isMine, readMs, error } = kept.list;
    const isStale = error !== null && jobs !== null;
    setText(stale, isStale ? t("jobs.stale", { time: clockTime(readMs) }) : "");
    setAttribute(element, "data-stale", isStale ? "true" : null);
    pager.update(offset, jobs === null ? 0 : total);
    if (jobs === null) return error ? table.say(sorry(error, t, watch.now)) : table.wait();
    if (jobs.length > 0) return table.show(jobs, chosen);
    if (total > 0) return table.say(emptiness(t("jobs.empty"), t("jobs.empty.how")));
    const kind = isMine ? "jobs.noneMine" : "jobs.none";
    table.say(emptiness(t(kind), t(`${kind}.how`)));
  }

  draw();
  return {
    element,
    open: watch.start,
    close: watch.stop,
    again: watch.now,
    happen,
    choose: (jobId) => ((chosen = jobId), draw()),
    find: (jobId) => kept.list.jobs?.find(({ job_id: id }) => id === jobId) ?? null,
    move: table.move,
    turn: pager.turn,
    hasFocus: () => table.element.contains(document.activeElement),
    focus: table.focus,
    toggleMine: () => seesAll && (whose.choose(kept.list.isMine ? "all" : "mine"), true),
  };
}
