// Which stream the desk watches.
//
// In: what the operator chose (or nothing) and the list of calls. Out: the path of a stream, or null.
// Not known here: sockets, the address bar beyond its parameters.

import { CALL_STATE } from "./protocol.js";

/** @typedef {{kind: "newest"}|{kind: "call", id: string, atS?: number}|{kind: "operator", id: string}} Choice */

/** @returns {Choice} what `?call=ID` (with `&at=SECONDS` a line of it) or `?operator=ID` asks for; otherwise the
 * newest live call. */
export function choiceFrom(search) {
  const asked = new URLSearchParams(search);
  if (asked.get("call")) {
    const atS = asked.get("at") ? Number(asked.get("at")) : NaN;
    return { kind: "call", id: asked.get("call"), ...(Number.isFinite(atS) ? { atS } : {}) };
  }
  if (asked.get("operator")) return { kind: "operator", id: asked.get("operator") };
  return { kind: "newest" };
}

/** Path of the stream to watch. A live call that is watched is never left for a newer one: nobody should
 * lose the line they are reading. */
export function streamOf(choice, calls, watchedPath) {
  if (choice.kind === "call") return callPath(choice.id);
  if (choice.kind === "operator") return `v1/screens/operators/${encodeURIComponent(choice.id)}`;
  const live = calls.filter((call) => call.state === CALL_STATE.LIVE);
  if (live.some((call) => callPath(call.call_id) === watchedPath)) return watchedPath;
  return live.length > 0 ? callPath(live[0].call_id) : watchedPath;
}

export function callPath(callId) {
  return `v1/screens/calls/${encodeURIComponent(callId)}`;
}
