// Two people changed one article: theirs and yours side by side, field by field; nothing is lost.
//
// In: the version both began with, theirs, yours. Out: the version that was put together.
// Not known here: how it is saved.

import { h } from "../dom.js";
import { diffOf } from "./diffview.js";
import { conflictsOf, merged, textsOf } from "./fields.js";

/** @param {{base: object, current: object, yours: object, onMerged: (texts, current) => void,
 *   onLater: () => void}} what `base` and `yours` are texts, `current` is the article as it stands */
export function conflictPanel(t, { base, current, yours, onMerged, onLater }) {
  const theirs = textsOf(current);
  const conflicts = conflictsOf(base, theirs, yours);
  const choices = Object.fromEntries(
    conflicts.map(({ name, by }) => [name, { you: "yours", them: "theirs", both: null }[by]]),
  );
  const go = h(
    "button",
    { type: "button", class: "primary", onclick: () => onMerged(merged(theirs, yours, choices), current) },
    t("conflict.go"),
  );
  const left = h("span", { class: "kb-hint", role: "status" });
  const element = h(
    "section",
    { class: "kb-conflict", "aria-label": t("conflict.title"), tabindex: "-1" },
    h("h3", {}, t("conflict.title")),
    h(
      "p",
      {},
      t(current.author ? "conflict.how.by" : "conflict.how", {
        author: current.author,
        revision: current.revision,
      }),
    ),
    ...conflicts.map(fieldOf),
    h(
      "div",
      { class: "kb-conflict-foot" },
      go,
      h("button", { type: "button", title: "Esc", onclick: onLater }, t("conflict.later")),
      left,
    ),
  );

  function fieldOf({ name, by }) {
    const side = (whose, text) => {
      const radio = h("input", { type: "radio", name: `kb-choice-${name}`, value: whose });
      radio.checked = choices[name] === whose;
      radio.addEventListener("change", () => {
        choices[name] = whose;
        count();
      });
      return h(
        "label",
        { class: "kb-side" },
        h("span", { class: "kb-side-head" }, radio, t(`conflict.${whose}`)),
        diffOf(base[name], text, t, { isShort: true }),
      );
    };
    return h(
      "fieldset",
      { "data-by": by },
      h("legend", {}, t(`field.${name}`), h("small", {}, t(`conflict.by.${by}`))),
      side("theirs", theirs[name]),
      side("yours", yours[name]),
    );
  }

  function count() {
    const open = Object.values(choices).filter((choice) => choice === null).length;
    go.disabled = open > 0;
    left.textContent = open > 0 ? t("conflict.open", { count: open }) : "";
  }

  count();
  return element;
}
