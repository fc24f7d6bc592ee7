// What the system page asks of the server, by name.
//
// In: accounts, tokens, terms, settings, filters. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { exchange, getBlob, getJson, sendJson } from "../api.js";

const tagged = (tag) => (tag ? { "If-Match": tag } : {});

export const readAccounts = () => getJson("v1/accounts");
export const readUnits = () => getJson("v1/departments");
export const addAccount = (account) => sendJson("POST", "v1/accounts", { body: account });
export const changeAccount = (name, changes) =>
  sendJson("PATCH", `v1/accounts/${encodeURIComponent(name)}`, { body: changes });
export const changeOwnPassword = (old, next) =>
  sendJson("POST", "v1/session/password", { body: { old, new: next } });

export const readHooks = () => getJson("v1/webhooks");
export const addHook = (hook) => sendJson("POST", "v1/webhooks", { body: hook });
export const changeHook = (id, changes) => sendJson("PATCH", `v1/webhooks/${id}`, { body: changes });
export const removeHook = (id) => sendJson("DELETE", `v1/webhooks/${id}`);
export const renewSecret = (id) => sendJson("POST", `v1/webhooks/${id}/secret`);
export const pingHook = (id) => sendJson("POST", `v1/webhooks/${id}/ping`);
export const skipEvent = (id) => sendJson("POST", `v1/webhooks/${id}/skip`);

export const readTokens = () => getJson("v1/tokens");
export const makeToken = (token) => sendJson("POST", "v1/tokens", { body: token });
export const revokeToken = (id) => sendJson("DELETE", `v1/tokens/${id}`);

/** @returns {Promise<{body: {total: number, terms: Array<object>}, tag: string}>} the list with its mark */
export const readTerms = () => exchange("GET", "v1/lexicon");
export const putTerms = (terms, tag) =>
  exchange("POST", "v1/lexicon/terms", { body: terms, headers: tagged(tag) });
export const deleteTerm = (term, tag) =>
  exchange("DELETE", `v1/lexicon/terms/${encodeURIComponent(term)}`, { headers: tagged(tag) });
export const fetchTermFile = () => getBlob("v1/lexicon/file");
export const putTermFile = (file, tag) =>
  exchange("PUT", "v1/lexicon/file", { body: file, headers: { "Content-Type": "text/csv", ...tagged(tag) } });
export const readShipped = (query, signal) => getJson("v1/lexicon/shipped", query, signal);
export const tryText = (text, signal) => sendJson("POST", "v1/lexicon/try", { body: { text }, signal });

export const readSettings = () => exchange("GET", "v1/system/settings");
export const saveSettings = (changes, tag) =>
  exchange("PATCH", "v1/system/settings", { body: { changes }, headers: tagged(tag) });

export const readState = (signal) => getJson("v1/system/state", {}, signal);

export const readAudit = (query, signal) => getJson("v1/audit", query, signal);
export const fetchAudit = (query) => getBlob("v1/audit/file", query);
