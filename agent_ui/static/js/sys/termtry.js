// A sentence to try the words on: what would be put right, and why.
//
// In: a sentence that somebody types. Out: it as the ears would write it. Not known here: the lists.

import { h } from "../dom.js";
import { pieces } from "../format.js";
import { sorry } from "../parts.js";
import { tryText } from "./server.js";
import { correctionsOf } from "./terms.js";

const PAUSE_MS = 400;
const TAKEN_UP_EVERY_MS = 1000;

/** @param {{kept: object, refused: (error) => void}} page `kept.tried` is what is typed */
export function mountTermTry(t, page) {
  const { kept } = page;
  kept.tried ??= "";
  const field = h("textarea", {
    rows: "2",
    maxlength: "500",
    "aria-label": t("try.words.label"),
    placeholder: t("try.words.example"),
  });
  field.value = kept.tried;
  const result = h("div", { class: "sys-tried", role: "status" });
  const element = h(
    "section",
    { class: "sys-side sys-trial", "aria-label": t("try.words") },
    h("h2", {}, t("try.words"), h("kbd", { "aria-hidden": "true" }, "T")),
    h("p", { class: "sys-hint" }, t("try.words.how")),
    field,
    result,
  );
  let timer = 0;
  let asking = null;

  field.addEventListener("input", (event) => {
    kept.tried = field.value;
    if (!event.isComposing) later(PAUSE_MS);
  });
  field.addEventListener("compositionend", () => later(PAUSE_MS));

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(look, ms);
  }

  /** The list has changed: look again. */
  function again() {
    if (kept.tried.trim() !== "") later(0);
  }

  async function look() {
    asking?.abort();
    asking = new AbortController();
    if (kept.tried.trim() === "") return result.replaceChildren();
    try {
      const tried = await tryText(kept.tried, asking.signal);
      show(tried);
      if (!tried.is_current) later(TAKEN_UP_EVERY_MS);
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      result.replaceChildren(sorry(error, t, look));
    }
  }

  function show(tried) {
    const cut = pieces(tried.after, correctionsOf(tried));
    const sentence = h(
      "p",
      { class: "sys-sentence" },
      ...cut.map(({ text, heard }) => (heard === null ? text : h("mark", { title: heard }, text))),
    );
    const row = ({ heard, term, reason }) =>
      h("li", {}, h("del", {}, heard), " → ", h("b", {}, term), h("small", {}, reason));
    const { corrections } = tried;
    const count = corrections.length;
    const found = count > 0 ? t("try.words.found", { count }) : t("try.words.none");
    result.replaceChildren(
      h("p", { class: "sys-hint" }, tried.is_current ? found : t("try.words.soon")),
      sentence,
      h("ul", {}, ...corrections.map(row)),
    );
  }

  function back() {
    if (document.activeElement !== field) return false;
    field.blur();
    return true;
  }

  if (kept.tried !== "") look();
  return { element, again, back, focus: () => (field.focus(), field.select()) };
}
