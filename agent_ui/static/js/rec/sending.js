// Sending files to the server, with what is known of how far it is; one form at a time.
//
// In: a form, its name and size. Out: `Sending` states to whoever watches, the job that came of it.
// Not known here: what is on the screen. It outlives a page that is built anew in another language.

import { ApiError } from "../api.js";
import { reduceSending, resting } from "./uploads.js";

/** @param {string} csrf the mark of the session that changes need */
export function createSender(csrf) {
  let state = resting();
  let request = null;
  let watcher = () => {};

  function happen(event) {
    state = reduceSending(state, event);
    watcher(state);
  }

  /** @param {Array<{file: File}>} files
   * @param {object} fields how they shall be heard
   * @returns {Promise<object|null>} the job; null where it was cancelled. Raises `ApiError`. */
  function send(files, fields) {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
    for (const { file } of files) form.append("files", file, file.name);
    const total = files.reduce((sum, { file }) => sum + file.size, 0);
    happen({ type: "began", name: fields.name, count: files.length, total });
    return new Promise((resolve, reject) => {
      const fail = (error) => {
        request = null;
        happen({ type: "failed", error });
        reject(error);
      };
      request = new XMLHttpRequest();
      request.open("POST", new URL("v1/jobs", document.baseURI));
      request.responseType = "json";
      if (csrf) request.setRequestHeader("X-CSRF-Token", csrf);
      request.upload.onprogress = ({ loaded, total: all }) => happen({ type: "sent", sent: loaded, total: all });
      request.onload = ({ target }) => {
        if (target.status !== 201) return fail(errorOf(target));
        request = null;
        happen({ type: "over" });
        resolve(target.response);
      };
      request.onerror = async () => {
        // What can no longer be read looks to the browser like a network that broke.
        const isGone = !(await areReadable(files));
        fail(new ApiError(0, isGone ? "upload.file_gone" : "network"));
      };
      request.onabort = () => {
        request = null;
        happen({ type: "over" });
        resolve(null);
      };
      request.send(form);
    });
  }

  return {
    send,
    cancel: () => request?.abort(),
    dismiss: () => happen({ type: "over" }),
    state: () => state,
    isBusy: () => request !== null,
    /** Who is told of every change; a new one takes the place of the one before. */
    watch: (next) => (watcher = next),
  };
}

function errorOf({ status, response }) {
  const said = response?.detail;
  const detail = Array.isArray(said) ? { fields: said } : (said ?? {});
  return new ApiError(status, detail.code ?? `http.${status}`, detail);
}

async function areReadable(files) {
  for (const { file } of files) {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      return false;
    }
  }
  return true;
}
