// The panel of hot issues: matters that are clearly more than usual.
//
// In: the warnings of the day. Out: a panel. Not known here: how a warning comes about.

import { h, setAttribute, setText } from "../dom.js";
import { emptyWords, fader, panel, partText, places } from "./frame.js";
import { count, since, times } from "./saying.js";
import { partOf } from "./turning.js";

const FITS = 3;
const STATES = new Set(["open", "acknowledged", "assigned"]);

export function mountIssues(t) {
  const list = h("ol", { class: "issue-rows" });
  const fill = places(list, FITS, () => issueRow(t));
  const empty = emptyWords();
  const { element, note } = panel("issues", t("issues.title"), list, empty.element);
  const fade = fader(list);

  function update({ day, turn }) {
    const part = partOf(day.warnings, FITS, turn);
    fill(part.shown.map((warning) => ({ warning, isoDay: day.day })));
    setText(note, partText(part, turn, t));
    fade(part.page);
    empty.update(day.warnings.length > 0 ? null : `${t("issues.none")}\n${t("issues.none.how")}`, list);
  }

  return { element, update };
}

function issueRow(t) {
  const name = h("strong", { class: "issue-name" });
  const where = h("span", { class: "issue-where" });
  const people = h("span", { class: "issue-people" });
  const usual = h("span", { class: "issue-usual" });
  const begun = h("span");
  const state = h("span");
  const element = h(
    "li",
    { class: "issue" },
    name,
    people,
    h("span", { class: "issue-foot" }, where, begun, state),
    usual,
  );
  return {
    element,
    update({ warning, isoDay }) {
      const isSafety = warning.layer === "safety";
      setText(name, isSafety ? `${t("issues.safety")} · ${warning.name}` : warning.name);
      setText(where, warning.districts.join(t("list.between")) || t("issues.city"));
      setText(people, t("issues.people", { observed: count(warning.observed) }));
      setText(usual, usualText(warning));
      setText(begun, since(warning.since, isoDay, t));
      setText(state, STATES.has(warning.state) ? t(`issues.${warning.state}`) : "");
      setAttribute(element, "data-level", isSafety ? "danger" : "look");
    },
  };

  function usualText({ expected }) {
    if (expected === null) return "";
    return t("issues.usual", { expected: expected < 10 ? times(expected) : count(expected) });
  }
}
