// What happened to an order, line by line, and a place to say something about it.
//
// In: lines of a timeline. Out: a list; comments. Not known here: how lines come about.

import { h, keyedRows } from "../dom.js";
import { button, moment } from "../parts.js";
import { timelineOf } from "./timeline.js";

/** @param {{units: () => object, onSend: (text: string) => Promise<boolean>}} page `onSend` says whether it was sent */
export function mountPast(t, { units, onSend }) {
  const list = h("ol", { class: "ord-past" });
  const field = h("textarea", { rows: "2", maxlength: "2000", placeholder: t("past.say"), "aria-label": t("past.say") });
  const send = button(t("past.send"), submit, { title: "Ctrl+Enter" });
  const element = h(
    "section",
    { class: "sys-part" },
    h("h3", {}, t("past.title")),
    list,
    h("div", { class: "ord-say" }, field, send, h("p", { class: "sys-hint" }, t("past.say.how"))),
  );
  let draft = {};
  field.addEventListener("input", () => (draft.comment = field.value));

  const draw = keyedRows(list, {
    // A line whose words were erased meanwhile is another line.
    key: ({ key, text, changes }) => `${key} ${changes.length} ${text}`,
    create: (line) =>
      h(
        "li",
        { "data-kind": line.kind },
        h("time", { datetime: line.at }, moment(line.at, t)),
        h("span", { class: "ord-who" }, line.author),
        h(
          "div",
          {},
          h("strong", {}, deedOf(line)),
          line.text && line.action !== "absorbed" ? h("span", { class: "ord-said" }, line.text) : "",
          ...line.changes.map((change) => h("small", {}, changeOf(change))),
        ),
      ),
    update: () => {},
  });

  function deedOf(line) {
    if (line.action === "absorbed") return t("did.absorbed", { note: line.text });
    return t.knows(`deed.${line.action}`) ? t(`deed.${line.action}`) : t(`did.${line.action}`);
  }

  function changeOf({ name, before, after }) {
    const shown = (value) => {
      if (name === "department_id") return units().nameOf(value) || t("past.empty");
      if (name === "due_at") return value ? moment(value, t) : t("past.empty");
      if (name === "type" && value) return t(`kind.${value}`);
      if (name === "urgency" && value) return t(`haste.${value}`);
      return value || t("past.empty");
    };
    return t("past.change", { field: t(`field.${name}`), before: shown(before), after: shown(after) });
  }

  async function submit() {
    if (field.value.trim() === "") return field.focus();
    if (await onSend(field.value)) field.value = draft.comment = "";
  }

  return {
    element,
    show: (past, kept) => {
      draft = kept;
      if (document.activeElement !== field) field.value = kept.comment ?? "";
      draw(timelineOf(past));
    },
    submit,
    hasFocus: () => document.activeElement === field,
    focus: () => (field.focus(), field.scrollIntoView({ block: "nearest" })),
  };
}
