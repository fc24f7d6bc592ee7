// The view of words: the admin's own, those that come with the product, and what they do to a sentence.
//
// In: what was chosen before. Out: a view of two lists that share a place, a form and a trial beside them.

import { h } from "../dom.js";
import { mountTabs } from "./controls.js";
import { mountOwnTerms } from "./ownterms.js";
import { mountShipped } from "./shipped.js";
import { mountTermTry } from "./termtry.js";

/** @param {{news, session, kept: object, refused: (error) => void}} page */
export function mountLexicon(t, page) {
  const { kept } = page;
  kept.list ??= "own";
  kept.own ??= {};
  kept.shipped ??= {};
  const trial = mountTermTry(t, page);
  const lists = {
    own: mountOwnTerms(t, { ...page, kept: kept.own, onChanged: trial.again }),
    shipped: mountShipped(t, {
      ...page,
      kept: kept.shipped,
      onTake: (term) => {
        tabs.choose("own");
        lists.own.begin(term);
      },
    }),
  };
  const tabs = mountTabs({
    names: ["own", "shipped"],
    label: t("view.words"),
    text: (name) => t(`terms.${name}`),
    chosen: kept.list,
    onChoose: (name) => {
      kept.list = name;
      draw();
      lists[name].open();
    },
  });
  const head = h("div", { class: "sys-head" });
  const main = h("div", { class: "sys-main" });
  const side = h("div", { class: "sys-sides" });
  const element = h("div", { class: "sys-view sys-pair" }, main, side);
  const current = () => lists[kept.list];

  function draw() {
    const { tools, notice, list, foot, side: panel } = current();
    head.replaceChildren(tabs.element, tools);
    main.replaceChildren(head, notice, list, foot);
    side.replaceChildren(panel, trial.element);
  }

  function act(name) {
    if (name === "try") return (trial.focus(), true);
    return (name === "back" && trial.back()) || current().act(name);
  }

  draw();
  return {
    element,
    open: () => current().open(),
    close: () => {},
    act,
    unsaved: lists.own.unsaved,
  };
}
