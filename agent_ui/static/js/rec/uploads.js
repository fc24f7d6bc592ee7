// What is to be uploaded: which files, whether they fit, how they shall be heard, how far it is.
//
// In: files and fields, limits of the server, progress. Out: what fits and what does not, the fields of a form.
// Not known here: the document, the network.

import { sizeText } from "./jobs.js";

/** Endings by which a recording is told from what else lies in a folder; as the server tells them. */
// prettier-ignore
const SOUND_ENDINGS = new Set([
  "wav", "wave", "mp3", "m4a", "aac", "mp4", "m4v", "mov", "mkv", "webm", "avi", "amr", "awb", "ogg", "oga", "opus",
  "flac", "wma", "3gp", "gsm", "aif", "aiff", "au", "snd", "ul", "ulaw", "al", "alaw", "caf", "spx", "mka", "ts", "vox",
]);

export const blankWish = () => ({ name: "", channels: "auto", left: "citizen", beam: "5", words: true });

/** @returns what was chosen before anything was; `paths` is what is typed of the server's folders */
export const nothingChosen = () => ({ files: [], leftOut: [], wish: blankWish(), paths: "", source: "here" });

export function isRecording(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 && SOUND_ENDINGS.has(name.slice(dot + 1).toLowerCase());
}

/** Add files to those chosen; the same one once. Of a folder only recordings are taken, a file that was chosen
 * itself may end as it likes.
 * @param {Array<{file: File, path: string, isFromFolder: boolean}>} found */
export function addFiles(chosen, found) {
  const known = new Set(chosen.files.map(identity));
  const files = [...chosen.files];
  const leftOut = new Set(chosen.leftOut);
  for (const one of found) {
    if (known.has(identity(one))) continue;
    if (one.isFromFolder && !isRecording(one.file.name)) {
      if (!one.file.name.startsWith(".")) leftOut.add(one.path);
      continue;
    }
    known.add(identity(one));
    files.push(one);
  }
  return { ...chosen, files, leftOut: [...leftOut] };
}

const identity = ({ path, file }) => `${path} ${file.size} ${file.lastModified}`;

export function sumOf(files) {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** What keeps files from being sent at all; null where nothing does.
 * @param {{max_bytes: number, max_files: number}|null} limits null while they are not known
 * @returns {string|null} a sentence */
export function refusalOf(files, limits, t) {
  if (limits === null) return null;
  if (files.length > limits.max_files) {
    return t("upload.tooMany", { count: files.length, limit: limits.max_files });
  }
  const sum = sumOf(files);
  if (sum <= limits.max_bytes) return null;
  return t("upload.tooLarge", { size: sizeText(sum, t), limit: sizeText(limits.max_bytes, t) });
}

/** What the job will be called where nobody names it. */
export function defaultName(files, t) {
  if (files.length === 0) return "";
  const folder = files[0].path.includes("/") ? files[0].path.split("/")[0] : null;
  if (folder !== null && files.every(({ path }) => path.startsWith(`${folder}/`))) return folder;
  const first = files[0].file.name;
  return files.length === 1 ? first : t("upload.nameOf", { first, count: files.length });
}

/** The server's words for how recordings shall be heard. */
export function wishOf(wish, name) {
  const { channels, left, beam, words } = wish;
  return { name: (wish.name.trim() || name).slice(0, 200), channels, left, beam: Number(beam), words };
}

/** The paths that were typed, one a line. */
export function pathsOf(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** @typedef {{phase: "rest"|"sending"|"waiting"|"failed", name: string, count: number, sent: number, total: number,
 *   error: Error|null}} Sending `waiting`: all is sent, and the server has not answered yet */
export const resting = () => ({ phase: "rest", name: "", count: 0, sent: 0, total: 0, error: null });

export function reduceSending(state, event) {
  switch (event.type) {
    case "began":
      return { phase: "sending", name: event.name, count: event.count, sent: 0, total: event.total, error: null };
    case "sent": {
      if (state.phase !== "sending") return state;
      const sent = Math.max(state.sent, Math.min(event.sent, event.total));
      return { ...state, sent, total: event.total, phase: sent >= event.total ? "waiting" : "sending" };
    }
    case "failed":
      return { ...state, phase: "failed", error: event.error };
    case "over":
      return resting();
    default:
      return state;
  }
}

/** Whole percent, 100 only when all of it is there. */
export function percent({ sent, total }) {
  return total > 0 ? Math.floor((sent / total) * 100) : 0;
}

export function sendingText(state, t) {
  if (state.phase === "waiting") return t("upload.waiting", { name: state.name });
  const amounts = { sent: sizeText(state.sent, t), total: sizeText(state.total, t) };
  return t("upload.sending", { name: state.name, percent: percent(state), ...amounts });
}
