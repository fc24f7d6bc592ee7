// The one quiet line under the transcript: is the machine keeping up, and if not, what does it mean.
//
// In: the state of a call and of the line to the server. Out: a level and a sentence.
// Not known here: the document.

import { duration } from "./format.js";
import { CALL_STATE } from "./protocol.js";

const LAG_WORTH_SAYING_S = 3;
const NOTICE_SHOWN_MS = 60_000;
const ERROR_SHOWN_MS = 10_000;

/** @returns {{level: "ok"|"look"|"bad", text: string}} the most important thing to know now */
export function quietLine({ state, isOnline, serverMs, streamError = null }, t) {
  const { call, error, isLoaded, lagS, notices } = state;
  if (!isOnline) return { level: "bad", text: t("quiet.offline") };
  const isErrorNew = error !== null && isLoaded && serverMs - Date.parse(error.at) < ERROR_SHOWN_MS;
  if (isErrorNew) return { level: "bad", text: t("quiet.error", error) };
  if (call === null) return { level: "ok", text: t("quiet.idle") };
  if (streamError) return { level: "look", text: t("quiet.forbidden") };
  if (call.state === CALL_STATE.LOST) return { level: "look", text: t("quiet.lost") };
  if (call.state === CALL_STATE.INTERRUPTED) return { level: "look", text: t("quiet.interrupted") };
  if (call.state === CALL_STATE.ENDED) return atTheEnd(state, t);
  if (lagS > LAG_WORTH_SAYING_S)
    return { level: "look", text: t("quiet.lag", { seconds: Math.round(lagS) }) };
  const last = notices.at(-1);
  if (last && serverMs - Date.parse(last.at) < NOTICE_SHOWN_MS) return { level: "look", text: said(last, t) };
  return alarmed(state, t) ?? { level: "ok", text: t("quiet.ok") };
}

/** What became of the alarms of the call, in one calm sentence. */
function alarmed({ alarms }, t) {
  if (alarms.length === 0) return null;
  const open = alarms.filter((alarm) => !alarm.taken_at);
  const kinds = (some) => some.map(({ kind }) => t(`kind.${kind}`)).join(t.language === "en" ? ", " : "、");
  if (open.length > 0) return { level: "look", text: t("quiet.alarm", { kinds: kinds(open) }) };
  return { level: "ok", text: t("quiet.alarmTaken", { kinds: kinds(alarms) }) };
}

function atTheEnd({ call, notices }, t) {
  const length = duration(call.seconds, t.language);
  if (notices.length === 0) return { level: "ok", text: t("quiet.ended", { duration: length }) };
  return { level: "look", text: t("quiet.ended.gaps", { duration: length, count: notices.length }) };
}

function said({ code, seconds, message }, t) {
  if (t.knows(`degraded.${code}`)) {
    return t(`degraded.${code}`, { seconds: Math.max(1, Math.round(seconds ?? 0)) });
  }
  return message ? t("degraded.other", { message, code }) : t("degraded.unnamed", { code });
}
