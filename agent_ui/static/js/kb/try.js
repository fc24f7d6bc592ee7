// "试一试": what would an operator see after these words, and why.
//
// In: one or several turns of a dialogue. Out: a panel beside the work with cards, probabilities, channels.
// Not known here: how anything is found; the server goes the way of a real call.

import { h, setText } from "../dom.js";
import { rememberFocus } from "../focus.js";
import { button, emptiness, reasonOf, skeleton } from "../parts.js";
import { mountSpoken } from "./spoken.js";
import { tryOut } from "./server.js";

const CHANNELS = ["dense", "lexical", "pinyin"];
const MOST_TURNS = 20;

/** @param {{onOpen: (id: string) => void, opener: () => Element}} page `opener` has the focus after closing, where
 *   nothing had it before */
export function mountTry(t, page) {
  const turns = h("ol", { class: "kb-turns" });
  const add = button(t("try.add"), () => addTurn(true), { class: "quiet" });
  const go = h("button", { type: "submit", class: "primary" }, t("try.go"));
  const wrong = h("p", { class: "kb-speak-wrong", role: "alert" });
  const spoken = mountSpoken(t, {
    onText: (text) => {
      fillIn(text);
      ask();
    },
    onWrong: (sentence) => setText(wrong, sentence),
  });
  const form = h(
    "form",
    { class: "kb-try-form" },
    turns,
    h(
      "div",
      { class: "kb-try-tools" },
      go,
      spoken.element,
      add,
      button(t("try.clear"), clear, { class: "quiet" }),
    ),
    wrong,
  );
  const result = h("div", { class: "kb-try-result", tabindex: "0", "aria-live": "polite" });
  const element = h(
    "aside",
    { class: "kb-try", hidden: true, "aria-label": t("try.title") },
    h(
      "div",
      { class: "kb-box-head" },
      h("h2", {}, t("try.title")),
      h("p", { class: "kb-hint" }, t("try.how")),
      button("×", () => toggle(false), { class: "quiet", title: "Esc", "aria-label": t("help.close") }),
    ),
    form,
    result,
  );
  let asking = new AbortController();
  let giveBack = () => {};

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });

  function addTurn(isFocused, party = "citizen", text = "") {
    if (turns.childElementCount >= MOST_TURNS) return;
    const who = h(
      "select",
      { "aria-label": t("try.who") },
      h("option", { value: "citizen" }, t("try.citizen")),
      h("option", { value: "operator" }, t("try.operator")),
    );
    who.value = party;
    const field = h("input", {
      type: "text",
      maxlength: "500",
      placeholder: t("try.words"),
      "aria-label": t("try.words"),
      autocomplete: "off",
    });
    field.value = text;
    const row = h(
      "li",
      {},
      who,
      field,
      button("×", () => removeTurn(row), { class: "quiet", "aria-label": t("try.remove") }),
    );
    turns.append(row);
    add.disabled = turns.childElementCount >= MOST_TURNS;
    if (isFocused) field.focus();
  }

  /** Put what was spoken into the last field if that is empty, else into one more. */
  function fillIn(text) {
    const last = turns.querySelector("li:last-child input");
    if (last.value.trim() === "") last.value = text;
    else addTurn(false, "citizen", text);
  }

  function removeTurn(row) {
    row.remove();
    if (turns.childElementCount === 0) addTurn(true);
    add.disabled = false;
  }

  function clear() {
    turns.replaceChildren();
    addTurn(true);
    idle();
  }

  function said() {
    return [...turns.children]
      .map((row) => ({
        party: row.querySelector("select").value,
        text: row.querySelector("input").value.trim(),
      }))
      .filter(({ text }) => text !== "");
  }

  async function ask() {
    asking.abort();
    asking = new AbortController();
    const dialogue = said();
    if (dialogue.length === 0) return turns.querySelector("input").focus();
    result.replaceChildren(skeleton(6));
    setText(go, t("try.going"));
    try {
      show(await tryOut(dialogue, asking.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      const again = button(t("article.retry"), ask);
      result.replaceChildren(
        h("div", { class: "sorry", role: "alert" }, h("p", {}, reasonOf(error, t)), again),
      );
    } finally {
      setText(go, t("try.go"));
    }
  }

  function show({ steps, threshold, kb_version: version }) {
    const last = steps.at(-1);
    result.replaceChildren(
      ...(steps.length > 1 ? [courseOf(steps)] : []),
      verdictOf(last, threshold),
      whyOf(last),
      ...last.matches.map((match, place) => matchRow(match, place, threshold, last.cards)),
      h("p", { class: "kb-hint" }, version ? t("try.version", { version }) : t("try.unpublished")),
    );
  }

  /** What each turn did to the screen. */
  function courseOf(steps) {
    const row = (step) => {
      const key = step.query === null ? "quiet" : step.is_changed ? "changed" : "same";
      return h(
        "li",
        {},
        h("span", { class: "kb-hint" }, t(`try.${step.party === "operator" ? "operator" : "citizen"}`)),
        h("span", {}, step.text),
        h("span", { class: "kb-hint" }, t(`try.step.${key}`, { count: step.cards.length })),
      );
    };
    return h("section", { class: "kb-course" }, h("h3", {}, t("try.course")), h("ol", {}, ...steps.map(row)));
  }

  function verdictOf({ query, matches, cards }, threshold) {
    const limit = percent(threshold);
    if (query === null) return verdict("quiet", t("try.nothing"), t("try.nothing.why"));
    if (matches.length === 0) return verdict("quiet", t("try.none"), t("try.none.why"));
    const enough = matches.filter((match) => match.is_enough).length;
    const best = percent(matches[0].probability);
    if (cards.length === 0) return verdict("quiet", t("try.silent"), t("try.silent.why", { best, limit }));
    if (enough === 0)
      return verdict("quiet", t("try.kept", { count: cards.length }), t("try.silent.why", { best, limit }));
    return verdict(
      "shown",
      t("try.shown", { count: cards.length }),
      t("try.shown.why", { limit, count: enough }),
    );
  }

  function verdict(kind, title, why) {
    return h("div", { class: "kb-try-verdict", "data-kind": kind }, h("b", {}, title), h("span", {}, why));
  }

  function whyOf({ query, act, opens_matter: opensMatter, parts }) {
    if (query === null) return "";
    const facts = [t.knows(`act.${act}`) ? t(`act.${act}`) : act, opensMatter ? t("try.opens") : ""].filter(
      Boolean,
    );
    return h(
      "p",
      { class: "kb-hint" },
      t("try.asked", { act: facts.join("，") }),
      ...parts.map(([text, weight]) => h("span", { class: "kb-part" }, `${text} ×${weight.toFixed(2)}`)),
    );
  }

  function matchRow(match, place, threshold, cards) {
    const bar = h("meter", { min: "0", max: "1", low: String(threshold), value: String(match.probability) });
    bar.setAttribute("aria-label", t("try.probability"));
    const isOn = cards.includes(match.article_id);
    return h(
      "article",
      { class: "kb-match", "data-enough": match.is_enough ? "true" : null },
      h(
        "div",
        { class: "kb-match-head" },
        h("span", { class: "kb-rank" }, String(place + 1)),
        h(
          "button",
          { type: "button", class: "kb-link", onclick: () => page.onOpen(match.article_id) },
          match.title,
        ),
        h("span", { class: "kb-on" }, isOn ? t("try.on") : t("try.off")),
        bar,
        h("b", {}, percent(match.probability)),
      ),
      h("p", { class: "kb-excerpt" }, match.excerpt),
      h(
        "dl",
        { class: "kb-channels" },
        ...CHANNELS.filter((name) => name in match.channels).map((name) => {
          const { score, rank } = match.channels[name];
          const value = t("try.channel", { score: score.toFixed(2), rank });
          return h(
            "div",
            {},
            h("dt", { title: t(`channel.${name}.tip`) }, t(`channel.${name}`)),
            h("dd", {}, value),
          );
        }),
        h(
          "div",
          {},
          h("dt", { title: t("try.fused.tip") }, t("try.fused")),
          h("dd", {}, match.fused.toFixed(2)),
        ),
      ),
      match.passage && match.passage !== match.title
        ? h("p", { class: "kb-hint" }, t("try.passage", { text: match.passage }))
        : "",
    );
  }

  function idle() {
    result.replaceChildren(emptiness(t("try.empty"), t("try.empty.how")));
  }

  function toggle(isShown = element.hidden) {
    const was = !element.hidden;
    if (isShown && !was) giveBack = rememberFocus();
    element.hidden = !isShown;
    if (isShown) {
      const field = turns.querySelector("li:last-child input");
      field.focus();
      field.select();
    } else if (was) {
      spoken.stop();
      giveBack(page.opener());
    }
    return was !== isShown;
  }

  addTurn(false);
  idle();
  return {
    element,
    toggle,
    isOpen: () => !element.hidden,
    /** Try these words at once, e.g. a missed question. */
    tryWords: (text) => {
      turns.replaceChildren();
      addTurn(false, "citizen", text);
      toggle(true);
      ask();
    },
  };
}

function percent(probability) {
  return `${Math.round(probability * 100)}%`;
}
