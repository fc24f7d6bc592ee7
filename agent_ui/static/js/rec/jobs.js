// Jobs and their files as people read them.
//
// In: answers of the server, filters. Out: the list as it stands, short texts, what may be done.
// Not known here: the document, the server.

import { many } from "../parts.js";
import { span } from "../sys/reading.js";

export const JOBS_PAGE = 50;
export const FILES_PAGE = 100;

/** The same items where nothing about them is different, so that nothing of them is drawn again. */
export function keepSame(before, after, key) {
  const old = new Map(before.map((item) => [key(item), item]));
  return after.map((item) => {
    const known = old.get(key(item));
    return known && JSON.stringify(known) === JSON.stringify(item) ? known : item;
  });
}

/** @returns the list before anything was read; `jobs` is null until then */
export const noJobs = () => ({ jobs: null, total: 0, offset: 0, isMine: false, readMs: 0, error: null });

/** @param {{type: "came", jobs: Array<object>, total: number, atMs: number} | {type: "failed", error: Error}
 *   | {type: "turned", offset: number} | {type: "mine", isMine: boolean} | {type: "changed", job: object}
 *   | {type: "gone", jobId: string}} event */
export function reduceJobs(state, event) {
  switch (event.type) {
    case "came": {
      const jobs = keepSame(state.jobs ?? [], event.jobs, ({ job_id: id }) => id);
      return { ...state, jobs, total: event.total, readMs: event.atMs, error: null };
    }
    case "failed":
      return { ...state, error: event.error };
    case "turned":
      return { ...state, offset: event.offset };
    case "mine":
      return { ...state, isMine: event.isMine, offset: 0, jobs: null };
    case "changed": {
      const jobs = (state.jobs ?? []).map((job) => (job.job_id === event.job.job_id ? event.job : job));
      return { ...state, jobs };
    }
    case "gone": {
      const jobs = (state.jobs ?? []).filter(({ job_id: id }) => id !== event.jobId);
      return { ...state, jobs, total: Math.max(0, state.total - 1) };
    }
    default:
      return state;
  }
}

/** Whether something still happens by itself. */
export const isAlive = ({ state }) => state === "queued" || state === "running";
export const mayStop = (job) => job.is_mine && isAlive(job);
/** Whether there is something to try again, or to go on with. */
export const mayRetry = (job) => job.is_mine && !isAlive(job) && job.files.failed + job.files.waiting > 0;

/** How much of the files is over, 0 to 1. */
export function shareOver({ files }) {
  return files.total === 0 ? 0 : (files.done + files.failed) / files.total;
}

/** How many times faster than it was spoken; null while nothing tells. */
export function speedOf({ done_s: doneS, worked_s: workedS }) {
  return doneS > 0 && workedS > 0 ? doneS / workedS : null;
}

export function speedText(job, t) {
  const speed = speedOf(job);
  if (speed === null) return "—";
  return t("job.times", { count: speed < 10 ? speed.toFixed(1) : many(Math.round(speed), t) });
}

/** How long it may still take; "—" for what is over, or where nothing tells yet. */
export function leftText(job, t) {
  if (job.state !== "running" || job.left_s === null) return "—";
  return t("job.about", { time: roughSpan(job.left_s, t.language) });
}

/** Minutes from a minute on: an estimate that jumps by seconds is not one. */
function roughSpan(seconds, language) {
  if (seconds < 60) return span(Math.max(1, Math.ceil(seconds / 5) * 5), language);
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return language === "en" ? `${minutes}m` : `${minutes}分钟`;
  return span(minutes * 60, language);
}

export function lengthText(seconds, t) {
  return seconds > 0 ? span(seconds, t.language) : "—";
}

/** "12 / 15" files that are over. */
export function filesText({ files }, t) {
  return `${many(files.done + files.failed, t)} / ${many(files.total, t)}`;
}

/** What a file's row says below its name, and how much that matters. @returns {{text: string, mark: string|null}} */
export function fileSays(file, t) {
  if (file.state === "failed") {
    return { text: `${file.error.message}（${file.error.code}）`, mark: "bad" };
  }
  if (file.state === "done") {
    const notes = file.notes.map(({ message }) => message);
    return { text: [span(file.seconds, t.language), ...notes].join(" · "), mark: notes.length > 0 ? "look" : null };
  }
  if (file.read_s !== null) return { text: t("file.read", { time: span(file.read_s, t.language) }), mark: null };
  return { text: sizeText(file.n_bytes, t), mark: null };
}

/** The state of a file in a word of its own. @returns {"done"|"failed"|"work"|"waiting"|"left"} */
export function fileState(file, job) {
  if (file.state !== "waiting") return file.state;
  if (file.read_s !== null && job.state === "running") return "work";
  return isAlive(job) ? "waiting" : "left";
}

/** "12.3 MB", counted in thousands as disks are. */
export function sizeText(bytes, t) {
  const step = bytes < 1_000_000 ? [1e3, "KB"] : bytes < 1_000_000_000 ? [1e6, "MB"] : [1e9, "GB"];
  const number = new Intl.NumberFormat(t.language === "en" ? "en-GB" : "zh-CN", { maximumFractionDigits: 1 });
  return `${number.format(bytes / step[0])}\u00a0${step[1]}`;
}

/** Where the page is: a job, and a file of it, by the address.
 * @returns {{jobId: string|null, file: number|null}} */
export function placeOf(hash) {
  const match = /^#(j-[\w-]+)(?:\/(\d+))?$/.exec(hash);
  return { jobId: match?.[1] ?? null, file: match?.[2] ? Number(match[2]) : null };
}

export function addressOf(jobId, file = null) {
  if (jobId === null) return "#";
  return file === null ? `#${jobId}` : `#${jobId}/${file}`;
}
