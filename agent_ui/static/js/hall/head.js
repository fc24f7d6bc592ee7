// The head of the board: what it is, the day, the time, and in the corner whether its figures are of now.
//
// In: the day, the present, how fresh the data is. Out: an element. Not known here: sockets.

import { h, setAttribute, setText } from "../dom.js";
import { day as dayText, today, zone } from "../format.js";
import { age, hourAndMinute } from "./saying.js";

/** So long after midnight the new day has come, or something is wrong. */
const OLD_MS = 15_000;

export function mountHead(t) {
  const date = h("span", { class: "hall-date" });
  const clock = h("time", { class: "hall-clock" });
  const simulated = h("span", { class: "hall-simulated", hidden: true });
  const sign = h("span", { class: "hall-fresh" });
  const weekday = new Intl.DateTimeFormat(t.language, { weekday: "long", timeZone: zone });
  const element = h(
    "header",
    { class: "hall-head" },
    h("h1", {}, t("hall.brand"), h("small", {}, t("hall.name"))),
    simulated,
    sign,
    date,
    clock,
  );

  let isOld = false;

  /** @param {{day: import("./reduce.js").Day, heard: object|null, refused: number|null, clockMs: number,
   *   fresh: {level: string, ageS: number}}} board */
  function update({ day, heard, refused, fresh: { level, ageS }, clockMs }) {
    isOld = level === "live" && day.isLoaded && clockMs > Date.parse(day.until) + OLD_MS * day.speed;
    setAttribute(sign, "data-level", isOld ? "stale" : level);
    setText(sign, isOld ? t("fresh.old", { day: dayText(day.day, t.language) }) : signText());
    simulated.hidden = !day.isSimulated;
    setText(simulated, day.speed > 1 ? t("hall.simulatedAt", { speed: day.speed }) : t("hall.simulated"));
    if (!day.isLoaded) return;
    setText(clock, hourAndMinute(clockMs));
    setText(date, `${dayText(today(clockMs), t.language)} ${weekday.format(clockMs)}`);

    function signText() {
      if (level !== "stale") return t(`fresh.${level === "refused" ? "waiting" : level}`);
      const time = hourAndMinute(heard.serverMs);
      if (refused !== null) return t("fresh.ended", { time });
      return t("fresh.stale", { time, age: age(ageS, t) });
    }
  }

  return { element, update, isOld: () => isOld };
}
