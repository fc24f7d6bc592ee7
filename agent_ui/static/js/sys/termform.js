// One term: how it is written, what it is, how often it is said, what it is misheard as.
//
// In: the list, what is typed. Out: a form, and calls of `onSave` and `onDelete`. Not known here: the server.

import { h } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";
import { mountFields, NEW } from "./fields.js";
import { blankTerm, faultOf, kindsOf, termOf, textsOf, WEIGHTS, weightText } from "./terms.js";

/** @param {{kept: object, terms: () => Array<object>, onOpened: () => void,
 *   onSave: (term, before: string|null) => Promise<void>, onDelete: (term: string) => Promise<void>}} page
 *   `kept.chosen` is a term, `NEW`, or null; `kept.drafts` what is typed, by the same */
export function mountTermForm(t, page) {
  const { kept } = page;
  const element = h("aside", { class: "sys-side", "aria-label": t("term.panel") });
  const said = h("p", { class: "sys-fault", role: "alert" });
  let fields = null;
  let submit = null;

  const find = (name) => page.terms().find(({ term }) => term === name) ?? null;
  const texts = () => kept.drafts[kept.chosen];

  function open(name) {
    if (name === kept.chosen) return fields?.focus("term");
    kept.chosen = name;
    draw();
    page.onOpened();
    fields?.focus("term");
  }

  /** A new term that is partly filled in. */
  function begin(term) {
    kept.drafts[NEW] = textsOf(term);
    kept.chosen = null;
    open(NEW);
  }

  function draw() {
    fields = submit = null;
    said.textContent = "";
    const term = find(kept.chosen);
    if (kept.chosen === NEW) {
      kept.drafts[NEW] ??= blankTerm();
      element.replaceChildren(h("h2", {}, t("terms.add")), form(null));
    } else if (term) {
      kept.drafts[term.term] ??= textsOf(term);
      element.replaceChildren(h("h2", {}, term.term), form(term));
    } else {
      element.replaceChildren(
        h("h2", {}, t("terms.what")),
        ...["1", "2", "3"].map((n) => h("p", {}, t(`terms.what.${n}`))),
      );
    }
  }

  function form(term) {
    const weight = Number(texts().weight);
    const usual = WEIGHTS.map((one) => ({ value: String(one.weight), text: t(one.key) }));
    const isUsual = WEIGHTS.some((one) => one.weight === weight);
    const save = h("button", { type: "submit", class: "primary", title: "Ctrl+S" }, t("form.save"));
    const mark = () => (save.disabled = term !== null && !differs(term.term));
    fields = mountFields(
      texts(),
      [
        { name: "term", label: t("term.term"), most: 16, hint: t("term.term.how") },
        {
          name: "heard",
          label: t("term.heard"),
          kind: "area",
          rows: 2,
          hint: t("term.heard.how"),
        },
        {
          name: "kind",
          isHalf: true,
          label: t("term.kind"),
          most: 20,
          words: kindsOf(page.terms()).map(({ kind }) => kind),
        },
        {
          name: "weight",
          isHalf: true,
          label: t("term.weight"),
          kind: "choice",
          options: isUsual ? usual : [...usual, { value: texts().weight, text: weightText(weight, t) }],
        },
      ],
      () => (mark(), page.onOpened()),
    );
    mark();
    submit = () => {
      const fault = faultOf(
        texts(),
        page.terms().filter((one) => one.term !== term?.term),
      );
      fields.showFault(fault && { field: fault.field, text: t(fault.key, fault.values) });
      said.textContent = "";
      if (!fault && !save.disabled) whileWorking(save, send, failed).then(mark);
    };
    const built = h(
      "form",
      { class: "sys-form", novalidate: true },
      ...fields.elements,
      said,
      h(
        "div",
        { class: "sys-row" },
        save,
        button(t(term ? "form.close" : "form.cancel"), term ? back : giveUp, { title: term ? "Esc" : null }),
        term
          ? button(
              t("term.delete"),
              (event) => whileWorking(event.currentTarget, () => page.onDelete(term.term), failed),
              { class: "far" },
            )
          : "",
      ),
    );
    built.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    return built;
  }

  async function send() {
    const name = kept.chosen;
    const before = name === NEW ? null : name;
    const term = termOf(texts());
    await page.onSave(term, before);
    delete kept.drafts[name];
    delete kept.drafts[term.term];
    // The next one can be typed at once.
    if (before !== null) kept.chosen = term.term;
    draw();
    page.onOpened();
    fields?.focus("term");
  }

  function failed(error) {
    said.textContent = error.status === 412 ? t("term.overtaken", { code: error.code }) : reasonOf(error, t);
  }

  function giveUp() {
    delete kept.drafts[kept.chosen];
    open(null);
  }

  function back() {
    if (kept.chosen === null) return false;
    open(null);
    return true;
  }

  /** A term has gone: so has what is typed of it. */
  function forget(name) {
    delete kept.drafts[name];
    if (kept.chosen === name) open(null);
  }

  /** The list was read anew: what is typed stays, anything else is shown as it is now. */
  function refresh() {
    if (kept.chosen === NEW || differs(kept.chosen)) return;
    const isOpen = find(kept.chosen) !== null;
    if (isOpen && element.contains(document.activeElement)) return;
    delete kept.drafts[kept.chosen];
    draw();
  }

  function differs(name) {
    if (!(name in kept.drafts)) return false;
    if (name === NEW) return kept.drafts[NEW].term.trim() !== "" || kept.drafts[NEW].heard.trim() !== "";
    const term = find(name);
    return (
      term !== null && JSON.stringify(termOf(kept.drafts[name])) !== JSON.stringify(termOf(textsOf(term)))
    );
  }

  kept.chosen ??= null;
  kept.drafts ??= Object.create(null);
  draw();
  return {
    element,
    open,
    begin,
    forget,
    refresh,
    back,
    differs,
    unsaved: () => Object.keys(kept.drafts).some(differs),
    save: () => (submit ? (submit(), true) : false),
  };
}
