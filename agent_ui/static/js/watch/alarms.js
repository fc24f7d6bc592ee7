// Alarms: those that wait for somebody, and those of the day that were taken.
//
// In: alarms as the list's stream holds them, the time. Out: a section, and calls of `actions`.
// Not known here: sockets, which words raise an alarm.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { clockTime, duration, maskedNumber } from "../format.js";
import { button, emptiness, skeleton } from "../parts.js";

/** What waits, the gravest first, of those the oldest; and what was taken, newest first. */
export function arrangedAlarms(alarms) {
  const weight = ({ severity, at }) => (severity === "critical" ? 0 : 1e15) + Date.parse(at);
  const open = alarms.filter((alarm) => !alarm.taken_at).sort((a, b) => weight(a) - weight(b));
  const taken = alarms
    .filter((alarm) => alarm.taken_at)
    .sort((a, b) => Date.parse(b.taken_at) - Date.parse(a.taken_at));
  return { open, taken };
}

/** @param {{onTake: (alarm, note: string) => Promise<void>, onRate: (alarm, isTrue: boolean) => Promise<void>,
 *   onSound: () => void, isSoundOn: () => boolean}} actions */
export function mountAlarms(t, actions) {
  const sound = button("", actions.onSound, { class: "quiet", title: t("alarm.sound.tip") });
  const open = h("ol", { class: "alarm-rows", "aria-label": t("alarm.title") });
  const taken = h("ol", { class: "alarm-rows", "aria-label": t("alarm.done") });
  const none = emptiness(t("alarm.none"), t("alarm.none.how"));
  const noneTaken = emptiness(t("alarm.done.none"), t("alarm.done.how"));
  const waiting = skeleton(3);
  const offline = h("p", { class: "alarm-offline", role: "status", hidden: true }, t("alarm.offline"));
  const said = h("p", { class: "offscreen", role: "alert" });
  const count = h("span", { class: "alarm-count" });
  const element = h(
    "section",
    { class: "alarms", "aria-label": t("alarm.title") },
    h(
      "div",
      { class: "alarms-open" },
      h("div", { class: "alarms-head" }, h("h2", {}, t("alarm.title")), count, offline, sound),
      h("div", { class: "alarms-scroll" }, open, none, waiting),
    ),
    h(
      "div",
      { class: "alarms-taken" },
      h("div", { class: "alarms-head" }, h("h2", {}, t("alarm.done"))),
      h("div", { class: "alarms-scroll" }, taken, noneTaken),
    ),
    said,
  );
  let drawn = { open: [], taken: [] };
  let known = null;

  const showOpen = keyedRows(open, {
    key: (alarm) => alarm.alarm_id,
    create: (alarm) => createOpen(alarm),
    update: updateRow,
  });
  const showTaken = keyedRows(taken, {
    key: (alarm) => alarm.alarm_id,
    create: (alarm) => createTaken(alarm),
    update: updateTaken,
  });

  function createOpen(alarm) {
    const note = h("input", { type: "text", maxlength: "500", placeholder: t("alarm.note"), "aria-label": t("alarm.note") });
    const take = button(t("alarm.take"), () => actions.onTake(alarm, note.value), {
      class: "primary alarm-take",
      title: t("alarm.take.tip"),
    });
    take.append(h("kbd", { "aria-hidden": "true" }, "A"));
    note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) take.click();
    });
    return h("li", { "data-alarm": alarm.alarm_id }, ...facts(alarm), h("div", { class: "alarm-deeds" }, note, take));
  }

  function createTaken(alarm) {
    const rate = (isTrue, name) =>
      button(t(`alarm.${name}`), () => actions.onRate(alarm, isTrue), {
        title: t(`alarm.${name}.tip`),
        "data-rating": String(isTrue),
        "aria-pressed": "false",
      });
    return h(
      "li",
      { "data-alarm": alarm.alarm_id },
      ...facts(alarm),
      h(
        "div",
        { class: "alarm-deeds", role: "group", "aria-label": t("alarm.rate") },
        h("span", { class: "alarm-by" }),
        rate(true, "isTrue"),
        rate(false, "isFalse"),
      ),
    );
  }

  function facts(alarm) {
    const before = alarm.said.slice(0, alarm.start);
    const words = alarm.said.slice(alarm.start, alarm.end);
    return [
      h(
        "div",
        { class: "alarm-what" },
        h("strong", {}, t.knows(`kind.${alarm.kind}`) ? t(`kind.${alarm.kind}`) : alarm.kind),
        h("span", { class: "alarm-severity", "data-severity": alarm.severity }, t(`alarm.severity.${alarm.severity}`)),
      ),
      h("p", { class: "alarm-said", title: alarm.said }, before, h("mark", {}, words), alarm.said.slice(alarm.end)),
      h(
        "div",
        { class: "alarm-where" },
        h("span", { class: "alarm-time" }, clockTime(Date.parse(alarm.at))),
        h("span", { class: "alarm-seat" }),
        h("span", { class: "alarm-wait" }),
        h("a", { class: "alarm-call", href: deskAddress(alarm), target: "_blank" }, t("alarm.open")),
      ),
    ];
  }

  function updateRow(row, alarm) {
    const seat = alarm.operator_id ? t("calls.seat", { id: alarm.operator_id }) : "";
    const caller = alarm.caller ? maskedNumber(alarm.caller) : "";
    setText(row.querySelector(".alarm-seat"), [seat, caller].filter(Boolean).join(" · "));
    setAttribute(row, "data-severity", alarm.severity);
  }

  function updateTaken(row, alarm) {
    updateRow(row, alarm);
    const by = t("alarm.taken", { name: alarm.taken_by ?? "—", time: clockTime(Date.parse(alarm.taken_at)) });
    setText(row.querySelector(".alarm-by"), alarm.note ? `${by}：${alarm.note}` : by);
    for (const rating of row.querySelectorAll("[data-rating]")) {
      setAttribute(rating, "aria-pressed", String(rating.dataset.rating === String(alarm.is_true)));
    }
  }

  /** @param {{alarms: Array<object>, isLoaded: boolean}} list */
  function update(list, { isOnline, serverMs }) {
    drawn = arrangedAlarms(list.alarms);
    showOpen(drawn.open);
    showTaken(drawn.taken);
    for (const alarm of drawn.open) {
      const waited = duration(Math.max(0, (serverMs - Date.parse(alarm.at)) / 1000), t.language);
      setText(rowOf(alarm).querySelector(".alarm-wait"), t("alarm.waiting", { duration: waited }));
    }
    setText(count, drawn.open.length > 0 ? String(drawn.open.length) : "");
    none.hidden = !list.isLoaded || drawn.open.length > 0;
    noneTaken.hidden = !list.isLoaded || drawn.taken.length > 0;
    waiting.hidden = list.isLoaded;
    offline.hidden = isOnline;
    setAttribute(element, "data-open", drawn.open.length > 0 ? "true" : null);
    setText(sound, t(actions.isSoundOn() ? "alarm.soundOn" : "alarm.soundOff"));
    setAttribute(sound, "aria-pressed", String(actions.isSoundOn()));
    if (list.isLoaded) sayNew(drawn.open);
  }

  /** Tell a screen reader of alarms that came while the page was open. */
  function sayNew(alarms) {
    const names = new Set(alarms.map((alarm) => alarm.alarm_id));
    const fresh = known === null ? [] : alarms.filter((alarm) => !known.has(alarm.alarm_id));
    known = names;
    if (fresh.length > 0) setText(said, fresh.map((alarm) => `${t(`kind.${alarm.kind}`)}：${alarm.said}`).join("；"));
  }

  function rowOf(alarm) {
    return element.querySelector(`[data-alarm="${CSS.escape(alarm.alarm_id)}"]`);
  }

  /** The alarm whose row has the focus. */
  function focused() {
    const name = document.activeElement?.closest?.("[data-alarm]")?.dataset.alarm;
    return [...drawn.open, ...drawn.taken].find((alarm) => alarm.alarm_id === name) ?? null;
  }

  function move(by) {
    const all = [...drawn.open, ...drawn.taken];
    if (all.length === 0) return false;
    const place = all.indexOf(focused());
    const next = place < 0 ? 0 : Math.min(all.length - 1, Math.max(0, place + by));
    const link = rowOf(all[next]).querySelector(".alarm-call");
    link.focus();
    link.closest("li").scrollIntoView({ block: "nearest" });
    return true;
  }

  function act(name) {
    if (name === "down" || name === "up") return move(name === "down" ? 1 : -1);
    if (name === "sound") return (actions.onSound(), true);
    const alarm = focused();
    if (name === "take") {
      const chosen = alarm && !alarm.taken_at ? alarm : drawn.open[0];
      if (!chosen) return false;
      rowOf(chosen).querySelector(".alarm-take").click();
      return true;
    }
    if ((name === "isTrue" || name === "isFalse") && alarm?.taken_at) {
      actions.onRate(alarm, name === "isTrue");
      return true;
    }
    return false;
  }

  return { element, update, act };
}

/** Where the call is to be read and heard, at the place where the words were said. */
function deskAddress({ call_id: callId, start_s: startS }) {
  return `./?${new URLSearchParams({ call: callId, at: String(Math.max(0, Math.floor(startS))) })}`;
}
