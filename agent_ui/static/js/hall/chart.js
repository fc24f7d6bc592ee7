// The chart of a day by hours: bars of today, a line of what is usual.
//
// In: two rows of 24 figures and the hour it is. Out: an element that draws itself.
// Not known here: where the figures come from. The library is vendor/echarts, loaded by the page before.

import { h, setAttribute } from "../dom.js";

const NAMES = Array.from({ length: 24 }, (_, hour) => String(hour));
/** Every third hour has its name below. */
const NAMED_EVERY = 3;

export function mountHours(t) {
  const element = h("div", { class: "hours-chart", role: "img", "aria-label": t("today.chart") });
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let chart = null;
  let shown = "";
  let last = null;

  /** @param {{hours: Array<number>, usual: Array<number>, hour: number}} figures the bar of `hour` is hollow */
  function update(figures) {
    const key = JSON.stringify(figures);
    if (key === shown || element.clientWidth === 0) return;
    const isFirst = chart === null;
    chart ??= globalThis.echarts.init(element, null, { renderer: "canvas" });
    if (isFirst) chart.setOption(frame());
    chart.setOption({ series: series(figures) });
    shown = key;
    last = figures;
    setAttribute(
      element,
      "aria-label",
      `${t("today.chart")} ${figures.hours.slice(0, figures.hour + 1).join(" ")}`,
    );
  }

  /** The sizes of texts go by the size of the page. */
  function resize() {
    if (chart === null) return;
    chart.resize();
    chart.setOption(frame());
    chart.setOption({ series: series(last) });
  }

  function frame() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const text = { color: colour("--hall-quiet"), fontSize: 2 * rem, fontFamily: colour("--font") };
    return {
      animation: false,
      grid: { left: 0.4 * rem, right: 0.8 * rem, top: 1 * rem, bottom: 0.2 * rem, containLabel: true },
      xAxis: {
        type: "category",
        data: NAMES,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: colour("--hall-line"), width: 0.2 * rem } },
        axisLabel: {
          ...text,
          interval: (index) => index % NAMED_EVERY === 0,
          formatter: (hour) => t("today.hour", { hour }),
        },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        splitNumber: 3,
        axisLabel: text,
        splitLine: { lineStyle: { color: colour("--hall-line"), width: 0.1 * rem } },
      },
    };
  }

  function series({ hours, usual, hour }) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const full = { color: colour("--hall-bar") };
    const begun = { color: "transparent", borderColor: colour("--hall-bar"), borderWidth: 0.3 * rem };
    return [
      {
        type: "bar",
        silent: true,
        barWidth: "62%",
        data: hours.map((value, index) => ({
          value: index <= hour ? value : null,
          itemStyle: index === hour ? begun : full,
        })),
      },
      {
        type: "line",
        silent: true,
        symbol: "none",
        data: usual.map((value) => Math.round(value * 10) / 10),
        lineStyle: { color: colour("--hall-usual"), width: 0.4 * rem },
      },
    ];
  }

  return { element, update, resize };
}
