// Orders that may be about the same, and those of the same caller; two of them side by side.
//
// In: what the server finds. Out: lists, and wishes to open or merge. Not known here: how they are found.

import { h } from "../dom.js";
import { button } from "../parts.js";
import { contentOf, FIELDS, textsOf } from "./content.js";

const COMPARED = FIELDS.filter((name) => name !== "type" && name !== "category");

/** @param {{order: object, found: object, units: object, onOpen: (id: string) => void,
 *   onMerge: ((other: object) => void)|null}} how without `onMerge` they are only to be read */
export function alikeOf(t, { order, found, units, onOpen, onMerge }) {
  const { duplicates, repeats, is_repeated: isRepeated } = found;
  if (duplicates.length + repeats.length === 0) return "";
  const told = new Set(duplicates.map((one) => one.order.order_id));
  const others = repeats.filter((one) => !told.has(one.order_id));
  const link = (one) =>
    h("button", { type: "button", class: "ord-link", onclick: () => onOpen(one.order_id) }, one.content.summary);
  return h(
    "section",
    { class: "sys-part ord-alike" },
    isRepeated ? h("p", { class: "sys-look" }, t("alike.repeated", { n: repeats.length + 1 })) : "",
    duplicates.length > 0 ? h("h3", {}, t("alike.title")) : "",
    h(
      "ul",
      {},
      ...duplicates.map(({ order: other, reasons }) => {
        const compared = h("div", { class: "ord-compared", hidden: true });
        return h(
          "li",
          {},
          h("div", { class: "ord-like" }, link(other), stateOf(other), compareButton(other, compared)),
          h("small", {}, `${other.order_id} · ${reasons.map((why) => t(`alike.${why}`)).join(t("ord.comma"))}`),
          compared,
        );
      }),
    ),
    others.length > 0 ? h("h3", {}, t("alike.repeats")) : "",
    h("ul", {}, ...others.map((one) => h("li", {}, h("div", { class: "ord-like" }, link(one), stateOf(one))))),
  );

  function stateOf(one) {
    return h("span", { class: "ord-badge", "data-level": "state" }, t(`state.${one.state}`));
  }

  function compareButton(other, compared) {
    const toggle = button(t("alike.compare"), () => {
      compared.hidden = !compared.hidden;
      toggle.setAttribute("aria-expanded", String(!compared.hidden));
      if (compared.childElementCount === 0) compared.append(sideBySide(other));
    });
    toggle.setAttribute("aria-expanded", "false");
    return toggle;
  }

  function sideBySide(other) {
    const mine = contentOf(textsOf(order.content));
    const theirs = contentOf(textsOf(other.content));
    const shown = (name, content) => {
      if (name === "department_id") return units.nameOf(content[name]) || "—";
      return (name === "urgency" ? t(`haste.${content[name]}`) : content[name]) || "—";
    };
    const isOver = ["closed", "merged"].includes(other.state);
    return h(
      "div",
      {},
      h(
        "table",
        { class: "ord-sides" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("td", {}),
            h("th", { scope: "col" }, t("merge.this")),
            h("th", { scope: "col" }, t("merge.other")),
          ),
        ),
        h(
          "tbody",
          {},
          ...COMPARED.map((name) => {
            const isSame = shown(name, mine) === shown(name, theirs);
            return h(
              "tr",
              { "data-same": isSame ? "true" : null },
              h("th", { scope: "row" }, t(`field.${name}`)),
              h("td", {}, shown(name, mine)),
              h("td", {}, isSame ? t("merge.same") : shown(name, theirs)),
            );
          }),
        ),
      ),
      onMerge && !isOver ? button(t("deed.merge"), () => onMerge(other), { class: "primary" }) : "",
    );
  }
}
