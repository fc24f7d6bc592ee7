// What the page of work orders asks of the server, by name.
//
// In: filters, orders, what is typed. Out: the server's answers; `ApiError` where there is none.
// Not known here: what is on the screen.

import { getBlob, getJson, sendJson } from "../api.js";

const at = (id, ...more) => ["v1/orders", encodeURIComponent(id), ...more].join("/");
const seen = (order) => ({ "If-Match": `"${order.version}"` });

export const readOrders = (query, signal) => getJson("v1/orders", query, signal);
export const readCounts = (signal) => getJson("v1/orders/counts", {}, signal);
export const readUnits = () => getJson("v1/departments");
export const readOrder = (id, signal) => getJson(at(id), {}, signal);
export const fetchFile = (query) => getBlob("v1/orders/file", query);

export const makeOrder = (content) => sendJson("POST", "v1/orders", { body: content });
export const writeOrder = (order, content) =>
  sendJson("PUT", at(order.order_id), { body: content, headers: seen(order) });
export const doDeed = (order, body) =>
  sendJson("POST", at(order.order_id, "steps"), { body, headers: seen(order) });
export const comment = (id, text) => sendJson("POST", at(id, "comments"), { body: { text } });

export const readAlike = (id, signal) => getJson(at(id, "alike"), {}, signal);
export const readSuggestions = (id, signal) => getJson(at(id, "departments"), {}, signal);

/** Take out of an order whatever leads to a person; returns what is left of it. */
export async function eraseOrder(id, reason) {
  await sendJson("DELETE", at(id), { query: { reason } });
  return readOrder(id);
}

/** All that happened to an order. */
export async function readPast(id, signal) {
  const [history, comments, attachments] = await Promise.all(
    ["history", "comments", "attachments"].map((name) => getJson(at(id, name), {}, signal)),
  );
  return { history, comments, attachments };
}

export function attach(id, file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return sendJson("POST", at(id, "attachments"), { body: form });
}

export const setRemoved = (id, file, isRemoved) =>
  sendJson("PATCH", at(id, "attachments", file.attachment_id), { body: { is_removed: isRemoved } });

/** Where a file is fetched; a picture is shown in the page. */
export const addressOfFile = (id, file, { isShown = false } = {}) =>
  `${at(id, "attachments", file.attachment_id)}${isShown ? "?inline=true" : ""}`;
