// What the watch page asks of the server, by name.
//
// In: identifiers, filters, words. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { sendJson } from "../api.js";

const alarm = (id) => `v1/alarms/${encodeURIComponent(id)}`;

export const takeAlarm = (id, note) => sendJson("POST", `${alarm(id)}/take`, { body: { note } });
export const rateAlarm = (id, isTrue) => sendJson("POST", `${alarm(id)}/rate`, { body: { is_true: isTrue } });
