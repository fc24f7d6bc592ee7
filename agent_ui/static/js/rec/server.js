// What the page of recordings asks of the server, by name.
//
// In: identifiers, wishes. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen, how files are sent.

import { ApiError, getBlob, getJson, sendJson } from "../api.js";

const job = (id) => `v1/jobs/${encodeURIComponent(id)}`;
const file = (id, number) => `${job(id)}/files/${number}`;

export const readLimits = () => getJson("v1/jobs/limits");
/** @param {{offset: number, limit: number, mine: boolean}} query */
export const readJobs = (query, signal) => getJson("v1/jobs", query, signal);
/** @param {{offset: number, limit: number, state: string|null}} query */
export const readJob = (id, query, signal) => getJson(job(id), query, signal);
export const stopJob = (id) => sendJson("POST", `${job(id)}/cancel`);
export const retryJob = (id) => sendJson("POST", `${job(id)}/retry`);
export const deleteJob = (id) => sendJson("DELETE", job(id));
export const leavePaths = (paths, wish) => sendJson("POST", "v1/jobs", { body: { ...wish, paths } });
export const fetchResults = (id, format) => getBlob(`${job(id)}/results.zip`, { format });

export const readPaper = (id, number, signal) => getJson(`${file(id, number)}/result`, {}, signal);
export const fetchPaper = (id, number, format) => getBlob(`${file(id, number)}/result`, { format });
/** A line in place of the recognised one; null takes it back. @returns {Promise<object>} the whole transcript */
export const writeLine = (id, number, segmentId, text) =>
  sendJson("PUT", `${file(id, number)}/segments/${encodeURIComponent(segmentId)}`, { body: { text } });
/** @param {"original"|"wav"} form as it came, or in a form that every browser plays */
export const soundAddress = (id, number, form) => `${file(id, number)}/audio?format=${form}`;

/** Why a recording cannot be had; null where it can, and what cannot be played is its form. */
export async function whyNoSound(id, number) {
  return whyNot(soundAddress(id, number, "wav"));
}

/** Why an address gives no sound; null where it does. */
export async function whyNot(address) {
  const response = await fetch(address, { headers: { Range: "bytes=0-0" } }).catch(() => null);
  if (response?.ok) return null;
  const detail = response?.status ? (await response.json().catch(() => ({}))).detail : null;
  return new ApiError(response?.status ?? 0, detail?.code ?? "network", detail ?? {});
}
