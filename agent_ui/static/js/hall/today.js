// The panel of the day: how many called, beside a usual day, and hour by hour.
//
// In: figures of the day. Out: a panel. Not known here: how they are counted, how a chart is drawn.

import { h, setAttribute, setText } from "../dom.js";
import { mountHours } from "./chart.js";
import { trendOf } from "./comparing.js";
import { wallClock } from "./figures.js";
import { headline, panel } from "./frame.js";
import { count, trendText } from "./saying.js";

/** From so many calls on the figure is smaller, so that it keeps its place. */
const LONG_FROM = 10_000;

export function mountToday(t) {
  const all = headline("", "huge");
  const trend = h("p", { class: "today-trend" });
  const soFarText = h("span");
  const wholeText = h("span");
  const urgent = h("span", { class: "today-urgent" });
  const chart = mountHours(t);
  const line = h("span", { class: "key-line" });
  const { element } = panel(
    "today",
    t("today.title"),
    h(
      "div",
      { class: "today" },
      h(
        "div",
        { class: "today-words" },
        all.element,
        trend,
        h("p", { class: "today-usual" }, soFarText, wholeText, urgent),
      ),
      h(
        "div",
        { class: "today-chart" },
        h(
          "p",
          { class: "chart-keys" },
          h("span", {}, t("today.chart")),
          h("span", { class: "key-bars" }, t("today.bars")),
          line,
        ),
        chart.element,
      ),
    ),
  );

  function update({ day, figures, nowMs }) {
    const { calls, usual_so_far: soFar, usual_day: whole } = figures;
    all.update(count(calls), null, calls >= LONG_FROM ? "long" : "huge");
    const found = trendOf(calls, soFar);
    setText(trend, soFar === null ? t("today.noUsual") : trendText(found, t, "trend.ofUsual"));
    setAttribute(trend, "data-level", found.isToLookAt ? "look" : null);
    setAttribute(trend, "data-quiet", soFar === null ? "" : null);
    setText(soFarText, soFar === null ? "" : t("today.soFar", { usual: count(soFar) }));
    setText(wholeText, whole === null ? "" : t("today.day", { usual: count(whole) }));
    setText(urgent, figures.urgent > 0 ? t("today.urgent", { count: count(figures.urgent) }) : "");
    const { days, kind } = day.usual;
    line.hidden = days === 0;
    setText(line, days === 0 ? "" : t("today.lineDays", { days, kind: t(`kind.${kind}`) }));
    const isOver = nowMs >= Date.parse(day.until);
    chart.update({
      hours: figures.hours,
      usual: days === 0 ? [] : day.usual.calls,
      hour: isOver ? figures.hours.length : wallClock(day.at, nowMs).hour,
    });
  }

  return { element, update, resize: chart.resize };
}
