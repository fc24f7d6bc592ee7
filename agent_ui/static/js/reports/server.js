// What the page of reports asks of the server, by name.
//
// In: identifiers, wishes. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";

export const PAGE = 100;
const one = (id) => `v1/reports/${encodeURIComponent(id)}`;

export const readReports = (kind, offset, signal) => getJson("v1/reports", { kind, offset, limit: PAGE }, signal);
export const readReport = (id, signal) => getJson(one(id), {}, signal);
export const readChoices = (signal) => getJson("v1/reports/choices", {}, signal);
export const makeReport = (wish) => sendJson("POST", "v1/reports", { body: wish });
export const removeReport = (id) => sendJson("DELETE", one(id));
export const restoreReport = (id) => sendJson("POST", `${one(id)}/restore`);
export const fetchFile = (id, form) => getBlob(`${one(id)}/file`, { form });
