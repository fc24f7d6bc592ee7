// The fields that say how recordings shall be heard.
//
// In: what is wished. Out: what is wished after a change. Not known here: files, the server.

import { h } from "../dom.js";

const CHOICES = {
  channels: ["auto", "stereo", "mono"],
  left: ["citizen", "operator"],
  beam: ["5", "1"],
};

/** @param {{wish: object, onChange: (wish) => void}} how */
export function mountWish(t, { wish, onChange }) {
  let now = wish;
  const name = h("input", { id: "rec-name", maxlength: "200", autocomplete: "off" });
  name.value = wish.name;
  const words = h("input", { type: "checkbox" });
  words.checked = wish.words;
  const groups = Object.entries(CHOICES).map(([field, values]) => choiceOf(field, values));
  const element = h(
    "div",
    { class: "rec-wish" },
    h("div", { class: "sys-field" }, h("label", { for: "rec-name" }, t("wish.name")), name),
    ...groups.map(({ element: group }) => group),
    h(
      "label",
      { class: "rec-check" },
      words,
      h("span", {}, t("wish.words"), h("small", {}, t("wish.words.how"))),
    ),
  );
  name.addEventListener("input", () => change({ name: name.value }));
  words.addEventListener("change", () => change({ words: words.checked }));

  function choiceOf(field, values) {
    const radios = values.map((value) => {
      const radio = h("input", { type: "radio", name: `rec-${field}`, value });
      radio.checked = wish[field] === value;
      radio.addEventListener("change", () => change({ [field]: value }));
      return radio;
    });
    const labels = radios.map((radio, place) =>
      h("label", {}, radio, h("span", {}, t(`wish.${field}.${values[place]}`))),
    );
    const group = h(
      "fieldset",
      { class: "rec-choice" },
      h("legend", {}, t(`wish.${field}`)),
      h("div", {}, ...labels),
    );
    return { field, radios, element: group };
  }

  function change(changes) {
    now = { ...now, ...changes };
    onChange(now);
  }

  /** @param {string} suggestion the name it will have where nobody names it */
  function update(next, suggestion) {
    now = next;
    if (name.value !== next.name) name.value = next.name;
    name.placeholder = suggestion;
    for (const { field, radios } of groups) {
      for (const radio of radios) {
        radio.checked = next[field] === radio.value;
        if (field === "left") radio.disabled = next.channels === "mono";
      }
    }
  }

  return { element, update };
}
