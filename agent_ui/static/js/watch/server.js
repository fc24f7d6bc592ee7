// What the watch page asks of the server, by name.
//
// In: identifiers, filters, words. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";

const alarm = (id) => `v1/alarms/${encodeURIComponent(id)}`;

export const takeAlarm = (id, note) => sendJson("POST", `${alarm(id)}/take`, { body: { note } });
export const rateAlarm = (id, isTrue) => sendJson("POST", `${alarm(id)}/rate`, { body: { is_true: isTrue } });

export const readWatched = (watch, signal) => getJson("v1/supervision", { watch, limit: 200 }, signal);
export const handOver = (orderId, office, reason) =>
  sendJson("POST", "v1/supervision/handovers", { body: { order_id: orderId, office, reason } });
export const fetchHandovers = () => getBlob("v1/supervision/handovers/file");

export const readScores = (query, signal) => getJson("v1/quality/calls", query, signal);
export const readSample = (day, each, signal) => getJson("v1/quality/sample", { day, each }, signal);
export const readScore = (callId, signal) => getJson(`v1/quality/calls/${encodeURIComponent(callId)}`, {}, signal);
export const sayOfScore = (callId, remark) =>
  sendJson("POST", `v1/quality/calls/${encodeURIComponent(callId)}/remarks`, { body: remark });
