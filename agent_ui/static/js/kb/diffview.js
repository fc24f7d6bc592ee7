// Two versions of an article side by side in words: what was taken out, what was put in.
//
// In: texts by field. Out: elements. Not known here: where the versions come from.

import { h } from "../dom.js";
import { diff, shortened } from "./diff.js";
import { differing } from "./fields.js";

/** One text with what was taken out and put in. Told by signs and words too, not by colour alone. */
export function diffOf(before, after, t, { isShort = false } = {}) {
  const pieces = diff(before, after);
  return h(
    "p",
    { class: "kb-diff" },
    ...(isShort ? shortened(pieces) : pieces).map(({ kind, text }) => {
      if (kind === "same") return h("span", {}, text);
      const label = h("span", { class: "offscreen" }, t(`diff.${kind}`));
      return h(kind === "in" ? "ins" : "del", {}, label, text);
    }),
  );
}

/** Every field in which two versions differ. */
export function changesOf(before, after, t) {
  const names = differing(before, after);
  if (names.length === 0) return h("p", { class: "kb-hint" }, t("diff.none"));
  return h(
    "dl",
    { class: "kb-changes" },
    ...names.map((name) =>
      h(
        "div",
        {},
        h("dt", {}, t(`field.${name}`)),
        h("dd", {}, diffOf(before[name], after[name], t, { isShort: true })),
      ),
    ),
  );
}
