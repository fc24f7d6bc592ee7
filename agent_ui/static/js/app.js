// Wires the desk: streams into reducers, reducers onto the page, clicks back into commands.
//
// In: the address bar, two sockets, the clock. Out: what `desk.js` draws. The only file that knows everybody.

import { ApiError, enter, getJson, goToLogin, hasEnded, leave, streamAddress } from "./api.js";
import { mountDesk } from "./desk.js";
import { choiceFrom, streamOf } from "./follow.js";
import { chosenLanguage, switchLanguage } from "./i18n.js";
import { recallKeys } from "./keys.js";
import { COMMAND, EVENT } from "./protocol.js";
import { emptyCall, emptyList, reduceCall, reduceList, trimmed, withEarlier } from "./reduce.js";
import { FORBIDDEN, openStream } from "./socket.js";

const TICK_MS = 1000;
const RESYNC_AT_MOST_EVERY_MS = 10_000;
const NO_SEAT = { code: "access.no_seat" };

const session = await enter();
/** Whose work is orders alone has no desk. */
if (!session.scopes.some((scope) => scope.startsWith("calls:")) && session.scopes.includes("orders:department")) {
  location.replace("orders");
  await new Promise(() => {}); // this page is left
}
const seesAll = session.scopes.includes("calls:all");
/** Without a seat no call is their own: there is nothing to watch until an admin gives them one. */
const hasCalls = seesAll || Boolean(session.operator_id);
/** Operators see the calls of their own seat; the list of all calls is for whoever may see them. */
const listPath = seesAll ? "v1/screens/calls" : `v1/screens/operators/${encodeURIComponent(session.operator_id)}/calls`;
/** Somebody with a seat of their own follows it, unless one call is asked for. */
const usual = seesAll ? { kind: "newest" } : { kind: "operator", id: session.operator_id };
recallKeys();
const asked = choiceFrom(location.search);
const atStart = seesAll || asked.kind === "call" ? asked : usual;
let choice = atStart;
/** The place in the call that the address asks for, until it was gone to. */
let seekS = atStart.atS ?? null;
let isLeaving = false;
let skewMs = null;
let isDrawingSoon = false;
const list = createWatch(emptyList, reduceList);
const call = createWatch(emptyCall, reduceCall);
let desk = null;
desk = mount(chosenLanguage());

startStreams();
setInterval(draw, TICK_MS);
document.addEventListener("visibilitychange", draw);

/** One stream with the state it feeds. `path` null: nothing is watched. */
function createWatch(empty, reduce) {
  return {
    empty,
    reduce,
    state: empty(),
    path: null,
    stream: null,
    line: "closed",
    offlineSinceMs: null,
    error: null,
    resyncedMs: -Infinity,
    isFresh: false,
  };
}

function startStreams() {
  if (!hasCalls) return;
  watch(list, listPath);
  watch(call, streamOf(choice, list.state.calls, call.path));
}

function watch(watched, path) {
  if (path === watched.path && watched.stream !== null) return;
  if (watched === call) desk?.leave(); // a note that is not saved yet belongs to the call that is left
  watched.stream?.close();
  Object.assign(watched, { state: watched.empty(), path, stream: null, error: null, offlineSinceMs: null });
  if (path !== null) {
    watched.stream = openStream(() => addressOf(watched), {
      onEvent: (event) => take(watched, event),
      onLine: (line) => noteLine(watched, line.name),
      onRefused: (code) => refused(watched, code),
    });
  }
  drawSoon();
}

function addressOf(watched) {
  const since = watched.state.isLoaded && !watched.isFresh ? watched.state.seq : null;
  watched.isFresh = false;
  return streamAddress(watched.path, since);
}

function take(watched, event) {
  skewMs = Math.max(skewMs ?? -Infinity, Date.parse(event.at) - Date.now());
  const before = watched.state;
  watched.state = watched.reduce(before, event);
  if (event.type === EVENT.ERROR && !event.recoverable && !before.isLoaded) {
    watched.error = event;
    watched.stream.close();
  }
  if (watched.state.gaps > before.gaps) resync(watched);
  if (watched === list) watch(call, streamOf(choice, list.state.calls, call.path));
  if (watched.state !== before) drawSoon();
}

/** Facts are missing: ask for the whole state, but never in a storm. */
function resync(watched) {
  if (performance.now() - watched.resyncedMs < RESYNC_AT_MOST_EVERY_MS) return;
  watched.resyncedMs = performance.now();
  watched.isFresh = true;
  watched.stream.reopen();
}

function noteLine(watched, name) {
  watched.line = name;
  if (name === "open" || name === "closed") watched.offlineSinceMs = null;
  else if (name === "waiting") watched.offlineSinceMs ??= Date.now();
  drawSoon();
}

/** A socket was refused: where the session has ended, or this is not theirs to see, trying again is of no use. */
async function refused(watched, code) {
  if (code === FORBIDDEN) {
    watched.error = { code: "access.forbidden" };
    watched.stream.close();
    return;
  }
  if (isLeaving || !(await hasEnded())) return;
  isLeaving = true;
  goToLogin();
}

// ---- drawing --------------------------------------------------------------------------------------------

function mount(language) {
  return mountDesk(document.getElementById("desk"), language, {
    onLanguage: remount,
    onTheme: () => document.documentElement.dispatchEvent(new Event("zhiting:theme")),
    onPick: (callId) => choose({ kind: "call", id: callId }),
    onFollow: () => choose(atStart.kind === "call" ? usual : atStart),
    onKeys: remountWithHelp,
    onMark: sendMark,
    onCorrect: (segmentId, text) => send({ type: COMMAND.SEGMENT_CORRECT, segment_id: segmentId, text }),
    onUndo: (segmentId, index) => send({ type: COMMAND.CORRECTION_UNDO, segment_id: segmentId, index }),
    onRestore: (segmentId) => send({ type: COMMAND.SEGMENT_RESTORE, segment_id: segmentId }),
    onNote: (noteId, text) => send({ type: COMMAND.NOTE_WRITE, note_id: noteId, text }),
    onTransfer: (operatorId, message) =>
      send({ type: COMMAND.CALL_TRANSFER, operator_id: operatorId, message }),
    onEarlier: fetchEarlier,
    onSought: () => (seekS = null),
    onTrim: () => (call.state = trimmed(call.state)),
    onLeave: leave,
    session,
  });
}

function remount() {
  desk.close();
  desk = mount(switchLanguage());
  draw();
  desk.languageButton.focus();
}

/** Tooltips name keys, so the desk is built anew when one changes; the help stays open. */
function remountWithHelp(action) {
  desk.close();
  desk = mount(chosenLanguage());
  draw();
  desk.help.openAt(action);
}

function drawSoon() {
  if (isDrawingSoon) return;
  isDrawingSoon = true;
  requestAnimationFrame(() => {
    isDrawingSoon = false;
    draw();
  });
}

function draw() {
  const watched = [list, call].filter(({ stream }) => stream !== null);
  const offline = watched.filter(({ offlineSinceMs }) => offlineSinceMs !== null);
  const nowMs = Date.now();
  desk.update({
    list: list.state,
    state: call.state,
    choice,
    seekS,
    session,
    isWatching: call.path !== null,
    listError: hasCalls ? list.error : NO_SEAT,
    streamError: hasCalls ? (call.error ?? missingCall()) : NO_SEAT,
    isOnline: offline.length === 0,
    line: lineOf(watched, offline),
    offlineSinceMs: offline.length > 0 ? Math.min(...offline.map((one) => one.offlineSinceMs)) : null,
    operatorId: choice.kind === "operator" ? choice.id : null,
    nowMs,
    serverMs: nowMs + (skewMs ?? 0),
  });
}

function lineOf(watched, offline) {
  if (!hasCalls || list.error) return "refused";
  if (offline.length > 0) return "waiting";
  return watched.some(({ line }) => line === "connecting") ? "connecting" : "open";
}

/** A call that was asked for by its number and is not there. */
function missingCall() {
  const isMissing = choice.kind === "call" && call.state.isLoaded && call.state.call === null;
  return isMissing ? { code: "call.unknown" } : null;
}

// ---- what the operator does -----------------------------------------------------------------------------

function choose(next) {
  if (call.error ?? missingCall()) forgetCall();
  choice = next;
  seekS = null;
  const query = next.kind === "newest" ? "" : `?${new URLSearchParams({ [next.kind]: next.id })}`;
  history.replaceState(null, "", location.pathname + query);
  watch(call, streamOf(choice, list.state.calls, call.path));
  drawSoon();
}

function forgetCall() {
  call.stream.close();
  Object.assign(call, { state: call.empty(), path: null, stream: null, error: null });
}

function sendMark(card, mark) {
  const { suggestion_id: suggestionId, article_id: articleId } = card;
  if (!suggestionId) return false;
  return send({ type: COMMAND.SUGGESTION_MARK, suggestion_id: suggestionId, article_id: articleId, mark });
}

function send(command) {
  return call.stream?.send(command) ?? false;
}

/** Lines from before those that are held; returns the code of what went wrong, or null. */
async function fetchEarlier() {
  const { call: asked, lines } = call.state;
  try {
    const path = `v1/calls/${encodeURIComponent(asked.call_id)}/lines`;
    const found = await getJson(path, { before_s: lines[0].start_s, limit: 200 });
    if (call.state.call?.call_id === asked.call_id) {
      call.state = withEarlier(call.state, found.segments, found.earlier > 0);
      draw();
    }
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.code;
  }
}
