// The form of a deed: what it takes, in place, beside the order.
//
// In: an order, a deed, what was typed before. Out: a form; what is typed, and a wish to send it.
// Not known here: the server.

import { h, lock, setText } from "../dom.js";
import { button } from "../parts.js";
import { DEEDS, missingOf, SATISFACTIONS } from "./deeds.js";
import { mountUnitField } from "./unitfield.js";

/** Suggestions that leave the rest of the form in sight. */
const MOST = 4;

let count = 0;

/** @param {{deed: string, typed: object, units: object, onSend: () => Promise<void>, onCancel: () => void}} how `typed`
 *   is written with every key */
export function mountDeedForm(t, { deed, typed, units, onSend, onCancel }) {
  const fault = h("p", { class: "sys-fault", role: "alert" });
  const send = h(
    "button",
    { type: "submit", class: "primary", title: "Ctrl+Enter" },
    t("take.send", { deed: t(`deed.${deed}`) }),
  );
  const suggestions = h("div", { class: "ord-suggestions", role: "status" });
  const fields = {};
  const make = { answer: area, note: area, department_id: unit, satisfaction: choice, into: line };
  const rows = DEEDS[deed].takes.map((name) => make[name](name));
  const element = h(
    "form",
    { class: "sys-form ord-form", novalidate: true, "aria-label": t(`deed.${deed}`) },
    h("h3", {}, t(`deed.${deed}`)),
    ...rows,
    deed === "merge" ? h("p", { class: "sys-hint" }, t("take.final")) : "",
    fault,
    h("div", { class: "sys-row" }, send, button(t("form.cancel"), onCancel, { title: "Esc" })),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  function submit() {
    const missing = missingOf(deed, typed);
    const isUnknown = fields.department_id?.isUnknown();
    setText(fault, isUnknown ? t("take.unit.unknown") : missing ? t("take.missing") : "");
    if (isUnknown) return fields.department_id.focus();
    if (missing) return fields[missing].focus();
    onSend();
  }

  function labelled(name, control, hintKey) {
    const id = `ord-take-${(count += 1)}`;
    control.id = id;
    control.value = typed[name] ?? "";
    control.addEventListener("input", () => {
      typed[name] = control.value;
      setText(fault, "");
    });
    fields[name] = control;
    const own = `take.${name}.${deed}`;
    const label = t.knows(own) ? own : name === "note" ? "take.note.optional" : `take.${name}`;
    if (t.knows(hintKey)) control.setAttribute("aria-describedby", `${id}-hint`);
    return h(
      "div",
      { class: "sys-field" },
      h("label", { for: id }, t(label)),
      control,
      t.knows(hintKey) ? h("p", { class: "sys-hint", id: `${id}-hint` }, t(hintKey)) : "",
    );
  }

  function area(name) {
    const rows = name === "answer" ? "5" : "2";
    const hint = name === "answer" ? "take.answer.how" : `take.note.${deed}.how`;
    return labelled(name, h("textarea", { rows, maxlength: name === "answer" ? "4000" : "1000" }), hint);
  }

  function line(name) {
    return labelled(name, h("input", { autocomplete: "off", maxlength: "64" }), `take.${name}.how`);
  }

  function unit(name) {
    const field = mountUnitField({
      label: t("take.department_id"),
      hint: t("take.department_id.how"),
      id: typed[name] ?? "",
      units,
      onChange: (id) => {
        typed[name] = id ?? "";
        setText(fault, "");
        for (const one of suggestions.querySelectorAll("button")) {
          one.setAttribute("aria-pressed", String(one.dataset.unit === typed[name]));
        }
      },
    });
    fields[name] = field;
    return h("div", { class: "ord-dispatch" }, field.element, suggestions);
  }

  function choice(name) {
    const group = `ord-choice-${(count += 1)}`;
    const radios = SATISFACTIONS.map((value) => {
      const radio = h("input", { type: "radio", name: group, value });
      radio.checked = typed[name] === value;
      radio.addEventListener("change", () => {
        typed[name] = value;
        setText(fault, "");
      });
      return h("label", { class: "ord-radio" }, radio, t(`satisfaction.${value}`));
    });
    fields[name] = { focus: () => (element.querySelector("input:checked") ?? radios[0].firstChild).focus() };
    return h("fieldset", { class: "ord-choice" }, h("legend", {}, t("take.satisfaction")), ...radios);
  }

  /** Show departments that may be meant, each with its reasons; a click takes one. */
  function suggest(found) {
    if (!fields.department_id) return;
    if (found === null) return suggestions.replaceChildren(h("p", { class: "sys-hint" }, t("suggest.wait")));
    if (found.length === 0) return suggestions.replaceChildren(h("p", { class: "sys-hint" }, t("suggest.none")));
    suggestions.replaceChildren(
      h("span", { class: "ord-label" }, t("suggest.title")),
      ...found.slice(0, MOST).map((one) =>
        h(
          "button",
          {
            type: "button",
            class: "ord-suggestion",
            "data-unit": one.unit_id,
            "aria-pressed": String(typed.department_id === one.unit_id),
            onclick: () => fields.department_id.set(one.unit_id),
          },
          h("strong", {}, units.nameOf(one.unit_id)),
          h("small", {}, one.reasons.map(({ why, detail }) => t(`why.${why}`, { detail })).join(" · ")),
        ),
      ),
    );
  }

  return {
    element,
    submit,
    suggest,
    say: (text) => setText(fault, text),
    lock: (isToRest) => lock(send, isToRest),
    close: () => send.remove(),
    set: (name, value) => {
      typed[name] = value;
      fields[name].value = value;
    },
    focus: () => fields[DEEDS[deed].takes[0]]?.focus(),
  };
}
