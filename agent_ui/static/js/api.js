// The way to the server: addresses, the token, and the few questions asked over HTTP.
//
// In: paths and words. Out: socket addresses, articles, search results; `ApiError` where it did not work.
// Not known here: what is on the screen.

const TOKEN_KEY = "zhiting.token";

/** A question that got no answer; `status` is 0 where the server could not be reached. */
export class ApiError extends Error {
  constructor(status, code) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
  }
}

/** Take the token out of `#token=…`, so that it stays neither in the address bar nor in the history. */
export function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  rememberToken(token);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Kept for this tab only, and gone when it closes. */
export function rememberToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

/** @returns {string} the address of a stream; with `since` only what came after it is sent. */
export function streamAddress(path, since) {
  const url = new URL(path, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (since !== null) url.searchParams.set("since", since);
  const token = sessionStorage.getItem(TOKEN_KEY);
  if (token) url.searchParams.set("token", token);
  return url.href;
}

/** Whether the server wants another token than ours; null where it cannot be asked. */
export async function isTokenRefused() {
  try {
    await get("v1/calls", { limit: 1 });
    return false;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0) return null;
    return error.status === 401 || error.status === 403;
  }
}

/** @returns {Promise<object>} the whole article */
export function fetchArticle(articleId, signal) {
  return get(`v1/articles/${encodeURIComponent(articleId)}`, {}, signal);
}

/** @returns {Promise<Array<object>>} at most `k` results, best first, with the keys of a card */
export async function searchArticles(words, k, signal) {
  return (await get("v1/search", { q: words, k }, signal)).matches;
}

async function get(path, query, signal) {
  const url = new URL(path, document.baseURI);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "network");
  }
  if (!response.ok) throw new ApiError(response.status, await codeOf(response));
  return response.json();
}

async function codeOf(response) {
  const isJson = response.headers.get("content-type")?.includes("json");
  const body = isJson ? await response.json() : {};
  return body.detail?.code ?? `http.${response.status}`;
}
