// One setting: what it does, its field, what it was, when it takes effect, who changed it.
//
// In: a setting and what is typed. Out: a row of fixed height, and calls when something is typed.

import { h, setAttribute, setText } from "../dom.js";
import { button, many, moment } from "../parts.js";
import { isDefault, textOf } from "./settingstate.js";

/** @param {{name: string, kind: string, onType: (text: string) => void, onReset: () => void}} how */
export function createSettingRow(t, { name, kind, onType, onReset }) {
  const id = `sys-setting-${name}`;
  const label = t.knows(`setting.${name}`) ? t(`setting.${name}`) : name;
  const how = t.knows(`setting.${name}.how`) ? t(`setting.${name}.how`) : "";
  const isSwitch = kind === "switch";
  const isLine = kind === "terms";
  const control = h("input", {
    id,
    type: isSwitch ? "checkbox" : "text",
    role: isSwitch ? "switch" : null,
    inputmode: isSwitch || isLine ? null : "decimal",
    autocomplete: "off",
    maxlength: isLine ? "2000" : "20",
    "aria-describedby": `${id}-how ${id}-range ${id}-fault`,
  });
  control.addEventListener("input", () =>
    onType(isSwitch ? (control.checked ? "on" : "off") : control.value),
  );
  const word = h("span", { class: "sys-unit" });
  const range = h("span", { class: "sys-hint", id: `${id}-range` });
  const effect = h("span", { class: "sys-effect" });
  const by = h("span", { class: "sys-hint" });
  const fault = h("p", { class: "sys-fault", id: `${id}-fault`, role: "alert" });
  const reset = button(t("setting.reset"), onReset, { "aria-label": t("setting.reset.of", { name: label }) });
  const element = h(
    "div",
    { class: isLine ? "sys-setting sys-setting-line" : "sys-setting" },
    h(
      "div",
      { class: "sys-setting-what" },
      h("label", { for: id }, label),
      h("p", { class: "sys-hint", id: `${id}-how` }, how),
      h("div", { class: "sys-setting-facts" }, effect, by),
    ),
    h(
      "div",
      { class: "sys-setting-value" },
      h("div", { class: "sys-row" }, control, word, reset),
      range,
      fault,
    ),
  );

  function update({ setting, text, fault: wrong, isTyped, isOvertaken }) {
    if (isSwitch) control.checked = text === "on";
    else if (control.value !== text) control.value = text;
    setText(word, isSwitch ? t(`setting.${text}`) : unitOf(setting));
    setText(range, rangeOf(setting));
    setText(effect, t(`setting.effect.${setting.effect}`));
    setAttribute(effect, "data-effect", setting.effect);
    setText(by, byOf(setting));
    setText(fault, wrong ? faultText(setting, wrong) : isOvertaken ? overtaken(setting) : "");
    setAttribute(fault, "data-level", wrong ? null : "look");
    setAttribute(control, "aria-invalid", wrong ? "true" : null);
    setAttribute(element, "data-typed", isTyped ? "true" : null);
    reset.disabled = isTyped ? text === textOf(setting.default) : isDefault(setting);
  }

  const unitOf = ({ unit }) => (unit && t.knows(`unit.${unit}`) ? t(`unit.${unit}`) : (unit ?? ""));
  function shown(value) {
    if (typeof value === "number") return many(value, t);
    return isSwitch ? t(`setting.${textOf(value)}`) : value || t("setting.nothing");
  }

  function rangeOf({ least, most, default: usual }) {
    if (isSwitch || isLine) return t("setting.default", { value: shown(usual) });
    return t("setting.range", { least: shown(least), most: shown(most), value: shown(usual) });
  }

  function byOf(setting) {
    if (setting.changed_by === null) return t("setting.untouched");
    return t("setting.by", { who: setting.changed_by, time: moment(setting.changed_at, t) });
  }

  function faultText({ least, most }, wrong) {
    return t(`setting.fault.${wrong}`, { least: shown(least), most: shown(most) });
  }

  const overtaken = ({ value, changed_by: who }) =>
    t("setting.overtaken", { who: who ?? "", value: shown(value) });

  return { element, update, label, focus: () => control.focus() };
}
