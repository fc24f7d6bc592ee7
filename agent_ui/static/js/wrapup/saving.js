// Sends what is set in the form, one after the other, each with the version that was seen.
//
// In: values of fields. Out: requests in order, and what came of each. Not known here: the document.

import { ApiError, exchange, sendJson } from "../api.js";

/** @param {{onDone: (workOrder: object) => void, onFailed: (names: string[], error: ApiError) => void}} told */
export function openSaving(callId, { onDone, onFailed }) {
  const path = `v1/calls/${encodeURIComponent(callId)}/wrapup`;
  let version = 0;
  let last = Promise.resolve();
  let waiting = 0;

  /** @param {Record<string, string|null>} fields */
  function set(fields) {
    waiting += 1;
    last = last.then(async () => {
      try {
        const headers = { "If-Match": `"${version}"` };
        const { body } = await exchange("PATCH", path, { body: { fields }, headers });
        waiting -= 1;
        see(body.version);
        onDone(body);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        waiting -= 1;
        if (error.detail.current) see(error.detail.current.version);
        onFailed(Object.keys(fields), error);
      }
    });
    return last;
  }

  /** Once everything is saved; raises `ApiError`. */
  async function make() {
    await last;
    return sendJson("POST", `${path}/order`, { body: {} });
  }

  /** A version that the server has told, over the stream or in an answer. */
  function see(told) {
    version = Math.max(version, told);
  }

  return { set, make, see, isBusy: () => waiting > 0 };
}
