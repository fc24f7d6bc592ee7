// The view of the moment: alarms on top, the calls below.
//
// In: the stream of the list of calls. Out: a view. Not known here: how alarms and calls are drawn.

import { goToLogin, hasEnded, streamAddress } from "../api.js";
import { h } from "../dom.js";
import { reasonOf } from "../parts.js";
import { emptyList, reduceList } from "../reduce.js";
import { FORBIDDEN, openStream } from "../socket.js";
import { mountAlarms } from "./alarms.js";
import { mountCurrent } from "./calls.js";
import { rateAlarm, takeAlarm } from "./server.js";

const PATH = "v1/screens/calls";
const TICK_MS = 1000;
const RESYNC_AT_MOST_EVERY_MS = 10_000;

/** The stream of the list, kept while the page is open whatever its view and its language. */
export function watchList(onChange) {
  const watched = { list: emptyList(), isOnline: true, skewMs: 0 };
  let resyncedMs = -Infinity;
  let isFresh = false;
  const stream = openStream(address, { onEvent, onLine, onRefused });
  setInterval(onChange, TICK_MS);

  function address() {
    const since = watched.list.isLoaded && !isFresh ? watched.list.seq : null;
    isFresh = false;
    return streamAddress(PATH, since);
  }

  function onEvent(event) {
    watched.skewMs = Math.max(watched.skewMs, Date.parse(event.at) - Date.now());
    const before = watched.list;
    watched.list = reduceList(before, event);
    if (watched.list.gaps > before.gaps && performance.now() - resyncedMs > RESYNC_AT_MOST_EVERY_MS) {
      resyncedMs = performance.now();
      isFresh = true;
      stream.reopen();
    }
    if (watched.list !== before) onChange();
  }

  function onLine({ name }) {
    watched.isOnline = name === "open" || name === "connecting";
    onChange();
  }

  async function onRefused(code) {
    if (code !== FORBIDDEN && (await hasEnded())) goToLogin();
  }

  return watched;
}

/** @param {{watched: object, news: object, refused: (error) => void}} page */
export function mountLive(t, page) {
  const { watched, news, bell } = page;
  const alarms = mountAlarms(t, {
    isSoundOn: bell.isOn,
    onSound: () => (bell.toggle(), draw()),
    onTake: (alarm, note) =>
      tried(async () => {
        await takeAlarm(alarm.alarm_id, note);
        news.tell(t("alarm.takenNews", { kind: t(`kind.${alarm.kind}`) }));
      }),
    onRate: (alarm, isTrue) =>
      tried(async () => {
        await rateAlarm(alarm.alarm_id, isTrue);
        news.tell(t("alarm.ratedNews", { rating: t(isTrue ? "alarm.isTrue" : "alarm.isFalse") }));
      }),
  });
  const calls = mountCurrent(t);
  const element = h("div", { class: "sys-view watch-live" }, alarms.element, calls.element);

  async function tried(work) {
    try {
      await work();
    } catch (error) {
      news.tell(reasonOf(error, t), { level: "bad" });
      page.refused(error);
    }
  }

  function draw() {
    const now = { isOnline: watched.isOnline, serverMs: Date.now() + watched.skewMs };
    alarms.update(watched.list, now);
    calls.update(watched.list, now);
  }

  draw();
  return { element, open: draw, close: () => {}, draw, act: alarms.act };
}

