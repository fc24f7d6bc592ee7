// What the page of warnings asks of the server, by name.
//
// In: filters, warnings, what is typed. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";

const at = (id, ...more) => ["v1/warnings", encodeURIComponent(id), ...more].join("/");

export const readWarnings = (query, signal) => getJson("v1/warnings", query, signal);
export const readWarning = (id, signal) => getJson(at(id), {}, signal);
export const readUnits = () => getJson("v1/departments");
export const fetchFile = (query) => getBlob("v1/warnings/file", query);

/** Do something with a warning as it was seen. */
export const takeStep = (warning, body) =>
  sendJson("POST", at(warning.warning_id, "steps"), { body: { version: warning.version, ...body } });

export const readLookout = (signal) => getJson("v1/warnings/lookout", {}, signal);
export const liftMute = (id) => sendJson("DELETE", `v1/warnings/mutes/${id}`);
export const setStorms = (days) => sendJson("PUT", "v1/warnings/storm-days", { body: { days } });
export const testMail = (recipient) => sendJson("POST", "v1/warnings/mails", { body: { recipient } });
