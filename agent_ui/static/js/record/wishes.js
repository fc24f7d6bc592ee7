// What calls are looked for, and the page of them that came.
//
// In: what was typed and chosen, answers of the server. Out: questions for the server, rows, places in the address.
// Not known here: the document, the server.

export const PAGE = 20;

/** @returns what is looked for when the page opens: everything */
export const noWish = () => ({ q: "", by: "text", caller: "", operator: "", from: "", to: "", kind: "", category: "" });

export const isEmptyWish = (wish) => Object.entries(noWish()).every(([name, value]) => name === "by" || wish[name] === value);

/** The address's part after "#": a call and a moment of it.
 * @returns {{callId: string|null, atS: number|null}} */
export function placeOf(hash) {
  const [, id, at] = /^#([^@]+)(?:@([0-9.]+))?$/.exec(hash) ?? [];
  return { callId: id === undefined ? null : decodeURIComponent(id), atS: at === undefined ? null : Number(at) };
}

export function addressOf(callId, atS = null) {
  if (callId === null) return "";
  return `#${encodeURIComponent(callId)}${atS === null ? "" : `@${atS}`}`;
}

/** Fewer digits than a number are its last ones. */
export function callerOf(typed) {
  const digits = typed.replaceAll(/[^0-9]/g, "");
  if (digits === "") return typed.trim() === "" ? null : typed.trim();
  return digits.length >= 4 && digits.length < 7 ? `*${digits}` : digits;
}

/** What the server is asked: by words where there are any, else for the list. */
export function questionOf(wish, offset) {
  const given = (value) => (value.trim() === "" ? null : value.trim());
  const query = {
    caller: callerOf(wish.caller),
    operator_id: given(wish.operator),
    from: given(wish.from),
    to: given(wish.to),
    offset,
    limit: PAGE,
  };
  if (wish.q.trim() !== "") return { isSearch: true, query: { ...query, q: wish.q.trim(), by: wish.by } };
  return { isSearch: false, query: { ...query, matter: true, kind: given(wish.kind), category: given(wish.category) } };
}

/** An answer as rows of one shape.
 * @returns {{total: number, rows: Array<{callId, at, caller, operator, text, more: number, kind, atS, seconds, state}>}} */
export function pageOf(answer) {
  const rows = answer.hits
    ? answer.hits.map((hit) => ({
        callId: hit.call_id,
        at: hit.started_at,
        caller: hit.caller,
        operator: hit.operator_id,
        text: hit.line.text,
        more: hit.lines - 1,
        kind: "",
        atS: hit.line.start_s,
        seconds: null,
        state: null,
      }))
    : answer.calls.map((call) => ({
        callId: call.call_id,
        at: call.started_at,
        caller: call.caller,
        operator: call.operator_id,
        text: call.matter ?? "",
        more: 0,
        kind: [call.kind, call.category].filter(Boolean).join(" · "),
        atS: null,
        seconds: call.seconds,
        state: call.state,
      }));
  return { total: answer.total, rows };
}
