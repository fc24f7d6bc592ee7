// The form by which a report is asked for.
//
// In: what a report can be about. Out: a wish for the server. Not known here: what becomes of it.

import { h, lock, setText } from "../dom.js";
import { today } from "../format.js";
import { button, reasonOf } from "../parts.js";

const KINDS = ["day", "week", "month", "issue"];
const DAY_MS = 86_400_000;

/** @param {{isDepartment: boolean, choices: () => Promise<object>, onMake: (wish) => Promise<void>,
 *   onClose: () => void}} how */
export function mountMaking(t, { isDepartment, choices, onMake, onClose }) {
  const yesterday = today(Date.now() - DAY_MS);
  const kind = h(
    "select",
    { "aria-label": t("making.kind") },
    ...KINDS.map((name) => h("option", { value: name }, t(`kind.${name}`))),
  );
  const dated = (value) => {
    const field = h("input", { type: "date", max: today(Date.now()), required: true });
    field.value = value;
    return field;
  };
  const day = dated(yesterday);
  const first = dated(today(Date.now() - 30 * DAY_MS));
  const last = dated(yesterday);
  const matters = h("datalist", { id: "report-matters" });
  const districts = h("datalist", { id: "report-districts" });
  const units = h("datalist", { id: "report-departments" });
  const matter = h("input", { type: "text", list: "report-matters", maxlength: "100", autocomplete: "off" });
  const district = h("input", { type: "text", list: "report-districts", maxlength: "100", autocomplete: "off" });
  const department = h("input", { type: "text", list: "report-departments", maxlength: "100", autocomplete: "off" });
  const labelled = (key, field, more = {}) => h("label", more, h("span", {}, t(`making.${key}`)), field);
  const which = labelled("day", day);
  const ofIssue = h(
    "div",
    { class: "making-issue" },
    labelled("first", first),
    labelled("last", last),
    labelled("matter", matter),
    labelled("district", district),
    isDepartment ? "" : labelled("department", department),
    h("p", { class: "sys-hint" }, t(isDepartment ? "making.how.department" : "making.how")),
  );
  const ofWarning = h("p", { class: "sys-hint", hidden: true });
  const wrong = h("p", { class: "pane-wrong", role: "alert" });
  const make = h("button", { type: "submit", class: "primary" }, t("making.make"));
  const element = h(
    "form",
    { class: "making", hidden: true, "aria-label": t("making.title") },
    labelled("kind", kind, { hidden: isDepartment }),
    which,
    ofIssue,
    ofWarning,
    wrong,
    h("div", { class: "making-deeds" }, make, button(t("making.close"), onClose, { title: "Esc" })),
    matters,
    districts,
    units,
  );
  let warningId = "";
  let known = [];

  kind.addEventListener("change", arrange);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  if (isDepartment) kind.value = "issue";

  function arrange() {
    const isIssue = kind.value === "issue";
    which.hidden = isIssue;
    day.required = !isIssue;
    ofIssue.hidden = !isIssue || warningId !== "";
    ofWarning.hidden = !isIssue || warningId === "";
    setText(ofWarning, t("making.warning", { id: warningId }));
    first.required = last.required = isIssue && !warningId;
    setText(which.firstChild, t(`making.day.${isIssue ? "day" : kind.value}`));
  }

  function wish() {
    if (kind.value !== "issue") return { kind: kind.value, day: day.value };
    if (warningId) return { kind: "issue", warning_id: warningId };
    const name = department.value.trim();
    const unit = known.find((one) => one.name === name || one.department_id === name);
    return {
      kind: "issue",
      first: first.value,
      last: last.value,
      matter: matter.value.trim(),
      district: district.value.trim(),
      department_id: unit?.department_id ?? name,
    };
  }

  async function submit() {
    if (make.getAttribute("aria-disabled") === "true") return;
    setText(wrong, "");
    lock(make, true);
    setText(make, t("making.working"));
    try {
      await onMake(wish());
      warningId = "";
    } catch (error) {
      setText(wrong, reasonOf(error, t));
    } finally {
      lock(make, false);
      setText(make, t("making.make"));
    }
  }

  async function open(named = "") {
    warningId = named;
    if (named) kind.value = "issue";
    element.hidden = false;
    arrange();
    (named ? make : isDepartment ? first : kind).focus();
    if (known.length > 0) return;
    try {
      const found = await choices();
      known = found.departments;
      const option = (value) => h("option", { value });
      matters.replaceChildren(...found.matters.map(option));
      districts.replaceChildren(...found.districts.map(option));
      units.replaceChildren(...known.map(({ name }) => option(name)));
    } catch (error) {
      setText(wrong, reasonOf(error, t));
    }
  }

  arrange();
  return {
    element,
    open,
    close: () => {
      element.hidden = true;
    },
    isOpen: () => !element.hidden,
    submit,
  };
}
