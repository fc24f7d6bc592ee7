// What the page of calls asks of the server, by name.
//
// In: identifiers, wishes. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";
import { whyNot } from "../rec/server.js";

const call = (id) => `v1/calls/${encodeURIComponent(id)}`;

export const readCalls = (query, signal) => getJson("v1/calls", query, signal);
export const findCalls = (query, signal) => getJson("v1/calls/search", query, signal);
export const fetchSheet = (query) => getBlob("v1/calls/file", query);
export const readRecord = (id, signal) => getJson(`${call(id)}/record`, {}, signal);
export const unmaskRecord = (id, reason) => sendJson("POST", `${call(id)}/unmask`, { body: { reason } });
export const fetchExport = (id, format) => getBlob(`${call(id)}/export`, { format });
/** @param {string} until a day, or empty for good */
export const holdCall = (id, reason, until) =>
  sendJson("PUT", `${call(id)}/hold`, { body: { reason, until: until === "" ? null : until } });
export const releaseCall = (id, reason) => sendJson("DELETE", `${call(id)}/hold`, { query: { reason } });
export const deleteCall = (id, reason, what) => sendJson("DELETE", call(id), { query: { reason, what } });
/** @param {string} leg "" for both */
export const soundAddress = (id, leg) => `${call(id)}/sound${leg === "" ? "" : `?leg=${leg}`}`;
export const whyNoSound = (id, leg) => whyNot(soundAddress(id, leg));
