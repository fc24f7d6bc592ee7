// The way to the server: addresses, the session, and what is asked over HTTP.
//
// In: paths and words. Out: socket addresses, articles, search results; `ApiError` where it did not work.
// Not known here: what is on the screen.

import { sayAway, saySlowed } from "./away.js";
import { askPatiently, pause } from "./patience.js";

const AGAIN_MS = 1000;

/** Who is signed in, as far as it is known. */
let session = null;

/** A question that got no answer; `status` is 0 where the server could not be reached. `message` is the server's
 * sentence for people, if it gave one; `detail` is all it said. */
export class ApiError extends Error {
  constructor(status, code, detail = {}) {
    super(detail.message ?? `${status} ${code}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** @typedef {{name: string, display_name: string, role: string|null, operator_id: string|null,
 *   scopes: string[], csrf: string, is_open: boolean}} Session */

/** Ask who is signed in, until the server answers; whoever is not is sent to the login page, and from there back.
 * @returns {Promise<Session>} raises `ApiError` where the server refuses */
export async function enter() {
  let found = () => {};
  for (let isFirst = true; ; isFirst = false) {
    try {
      session = await getJson("v1/session");
      found();
      return session;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) {
        goToLogin();
        await new Promise(() => {}); // this page is left
      }
      if (error.status !== 0 && error.status < 500) throw error;
      if (isFirst) found = sayAway();
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** Leave for the login page. */
export function goToLogin() {
  const here = location.pathname + location.search;
  location.replace(`login${here === "/" ? "" : `?${new URLSearchParams({ next: here })}`}`);
}

/** End the session and leave for the login page. */
export async function leave() {
  await sendJson("DELETE", "v1/session");
  location.replace("login");
}

/** @returns {string} the address of a stream; with `since` only what came after it is sent. */
export function streamAddress(path, since) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (since !== null) url.searchParams.set("since", since);
  return url.href;
}

/** Whether the session has ended; null where the server cannot be asked. */
export async function hasEnded() {
  try {
    session = await getJson("v1/session");
    return false;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.status === 401 ? true : null;
  }
}

/** @returns {Promise<object>} the whole article */
export function fetchArticle(articleId, signal) {
  return getJson(`v1/articles/${encodeURIComponent(articleId)}`, {}, signal);
}

/** @returns {Promise<Array<object>>} at most `k` results, best first, with the keys of a card */
export async function searchArticles(words, k, signal) {
  return (await getJson("v1/search", { q: words, k }, signal)).matches;
}

/** @returns {Promise<any>} the answer to a GET; raises `ApiError`, or the signal's `AbortError` */
export async function getJson(path, query = {}, signal = undefined) {
  return (await ask("GET", path, { query, signal })).json();
}

/** @returns {Promise<Blob>} the answer to a GET as it is; raises `ApiError`, or the signal's `AbortError` */
export async function getBlob(path, query = {}, signal = undefined) {
  return (await ask("GET", path, { query, signal })).blob();
}

/** Ask for a change. A `body` that is a Blob or a form goes as it is, anything else as JSON.
 * @param {"POST"|"PUT"|"DELETE"|"PATCH"} method
 * @param {{query?: object, body?: any, headers?: object, signal?: AbortSignal}} how
 * @returns {Promise<any>} the answer, null where it is empty; raises `ApiError` */
export async function sendJson(method, path, how = {}) {
  const response = await ask(method, path, how);
  return response.status === 204 ? null : response.json();
}

/** The same, with the mark (ETag) of what was answered, to be brought along as `If-Match` with a change of it.
 * @returns {Promise<{body: any, tag: string|null}>} raises `ApiError` */
export async function exchange(method, path, how = {}) {
  const response = await ask(method, path, how);
  return { body: await response.json(), tag: response.headers.get("ETag") };
}

async function ask(method, path, { query = {}, body, headers = {}, signal }) {
  const url = new URL(path, document.baseURI);
  for (const [key, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) url.searchParams.append(key, one);
  }
  const all = { ...headers };
  if (method !== "GET" && session?.csrf) all["X-CSRF-Token"] = session.csrf;
  const isJson = body !== undefined && !(body instanceof Blob) && !(body instanceof FormData);
  if (isJson) all["Content-Type"] = "application/json";
  const sent = isJson ? JSON.stringify(body) : body;
  let response;
  try {
    response = await askPatiently(() => fetch(url, { method, headers: all, body: sent, signal }), {
      pause: (seconds) => pause(seconds, signal),
      say: saySlowed,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "network");
  }
  if (!response.ok) throw new ApiError(response.status, ...(await complaintOf(response)));
  return response;
}

/** The code of a refusal, and what else the server said of it. */
async function complaintOf(response) {
  const isJson = response.headers.get("content-type")?.includes("json");
  const body = isJson ? await response.json() : {};
  // The route that OpenAI's clients know has their form of an error.
  const detail = Array.isArray(body.detail) ? { fields: body.detail } : (body.detail ?? body.error ?? {});
  return [detail.code ?? `http.${response.status}`, detail];
}

/** @returns {Promise<ArrayBuffer>} the bytes that answer a GET; raises `ApiError`, or the signal's `AbortError` */
export async function getBytes(path, query = {}, signal = undefined) {
  return (await ask("GET", path, { query, signal })).arrayBuffer();
}
