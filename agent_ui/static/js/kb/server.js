// What the knowledge page asks of the server, by name.
//
// In: articles, questions, files. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";

const path = (id, rest = "") => `v1/articles/${encodeURIComponent(id)}${rest}`;
const tag = (revision) => ({ "If-Match": `"${revision}"` });

export const listArticles = (question, signal) => getJson("v1/articles", question, signal);
export const readArticle = (id, signal) => getJson(path(id), {}, signal);
export const readHistory = (id, signal) => getJson(path(id, "/revisions"), {}, signal);
export const readSurvey = () => getJson("v1/kb/survey");
export const readChanges = () => getJson("v1/kb/changes");

export const createArticle = (content, draft) =>
  sendJson("POST", "v1/articles", { body: { ...content, draft } });

export const saveArticle = (id, revision, content, draft) =>
  sendJson("PUT", path(id), { body: { ...content, draft }, headers: tag(revision) });

export const deleteArticle = (id, revision) =>
  sendJson("DELETE", path(id), { headers: tag(revision) });

export const restoreArticle = (id) => sendJson("POST", path(id, "/restore"), { body: {} });

export const moveArticle = (id, revision, to, note) =>
  sendJson("POST", path(id, "/state"), { body: { to, note }, headers: tag(revision) });

export const revertArticle = (id, revision, to) =>
  sendJson("POST", path(id, "/revert"), { body: { revision: to }, headers: tag(revision) });

/** @param {string} deed as in `POST /v1/kb/bulk` */
export const changeMany = (deed, articles, fields = {}) =>
  sendJson("POST", "v1/kb/bulk", { body: { deed, articles, fields } });

export const readTitles = (ids) => inLots(ids, "v1/kb/titles");
export const readUsageOf = (ids) => inLots(ids, "v1/kb/usage");

/** Ask for many articles, 200 at a time. */
async function inLots(ids, address) {
  const found = {};
  for (let from = 0; from < ids.length; from += 200) {
    const body = { article_ids: ids.slice(from, from + 200) };
    Object.assign(found, await sendJson("POST", address, { body }));
  }
  return found;
}

export const previewCard = (content, asked, signal) =>
  sendJson("POST", "v1/kb/preview", { body: { content, asked }, signal });

export const tryOut = (turns, signal) => sendJson("POST", "v1/kb/try", { body: { turns }, signal });

export const readPublish = () => getJson("v1/kb/publish");
export const beginPublish = () => sendJson("POST", "v1/kb/publish");
export const readVersions = () => getJson("v1/kb/versions");
export const rollBack = (version) => sendJson("POST", "v1/kb/rollback", { body: { version } });
export const readCanaries = () => getJson("v1/kb/canaries");
export const putCanary = (canary) => sendJson("PUT", "v1/kb/canaries", { body: canary });
export const removeCanary = (question) => sendJson("DELETE", "v1/kb/canaries", { query: { question } });

export const importFile = (file, options, signal) =>
  sendJson("POST", "v1/kb/import", {
    query: { name: file.name, ...options },
    body: file,
    headers: { "Content-Type": "application/octet-stream" },
    signal,
  });

export const readGaps = (days) => getJson("v1/kb/gaps", { days });
export const adoptQuestions = (questions, articleId) =>
  sendJson("POST", "v1/kb/gaps/adopt", { body: { questions, article_id: articleId } });
export const reopenQuestions = (questions) => sendJson("POST", "v1/kb/gaps/reopen", { body: { questions } });
export const readUsage = (query) => getJson("v1/kb/usage", query);
export const readDuplicates = () => getJson("v1/kb/duplicates");
export const readExpiring = (days) => getJson("v1/kb/expiring", { days, limit: 200 });
export const readReports = (query, signal) => getJson("v1/kb/reports", query, signal);
export const answerReport = (id, answer) =>
  sendJson("POST", `v1/kb/reports/${id}/answer`, { body: { answer } });

/** Every article as a file.
 * @returns {Promise<Blob>} */
export const fetchExport = (kind) => getBlob("v1/kb/export", { kind });
