// The view of settings: what may be changed while everything runs, saved in one go.
//
// In: the server's settings. Out: a view; changes, which can be taken back.
// Not known here: what a setting does elsewhere.

import { ApiError } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { button, emptiness, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { createSettingRow } from "./settingrow.js";
import { readSettings, saveSettings } from "./server.js";
import {
  changesOf,
  emptySettings,
  faultOf,
  firstFault,
  grouped,
  reduceSettings,
  reverseOf,
  shownText,
} from "./settingstate.js";

/** @param {{news, kept: object, refused: (error) => void, onUnsaved: (count: number) => void}} page */
export function mountSettings(t, page) {
  const { news, kept } = page;
  kept.state ??= emptySettings();
  const body = h("div", { class: "sys-settings" });
  const count = h("span", { class: "sys-unsaved", role: "status" });
  const wrong = h("span", { class: "sys-fault", role: "alert" });
  const revert = button(t("settings.revert"), () => step({ type: "reverted" }), { title: "Esc" });
  const save = button(t("settings.save"), () => send(), { class: "primary", title: "Ctrl+S" });
  const bar = h("div", { class: "sys-bar" }, count, wrong, revert, save);
  const element = h("div", { class: "sys-view sys-with-bar" }, body, bar);
  let rows = new Map();

  function step(event) {
    kept.state = reduceSettings(kept.state, event);
    draw();
  }

  function draw() {
    const { state } = kept;
    if (state.phase === "loading") body.replaceChildren(skeleton(8));
    else if (state.phase === "failed") body.replaceChildren(sorry(state.error, t, refresh));
    else if (state.settings.length === 0) {
      body.replaceChildren(emptiness(t("settings.none"), t("settings.none.how")));
    } else drawRows(state);
    drawBar(state);
    page.onUnsaved(Object.keys(state.typed).length);
  }

  function drawRows(state) {
    const names = state.settings.map(({ name }) => name);
    if (names.join() !== [...rows.keys()].join() || !body.querySelector(".sys-setting")) build(state);
    for (const setting of state.settings) {
      const text = shownText(state, setting);
      rows.get(setting.name).update({
        setting,
        text,
        fault: setting.name in state.typed ? faultOf(setting, text) : null,
        isTyped: setting.name in state.typed,
        isOvertaken: state.overtaken.includes(setting.name),
      });
    }
  }

  function build(state) {
    rows = new Map(state.settings.map((setting) => [setting.name, rowOf(setting)]));
    const group = ({ name, members }) =>
      h(
        "section",
        { class: "sys-box", "aria-label": groupName(name) },
        h("h2", {}, groupName(name)),
        ...members.map((setting) => rows.get(setting.name).element),
      );
    body.replaceChildren(...grouped(state.settings).map(group));
  }

  const groupName = (name) => (t.knows(`settings.group.${name}`) ? t(`settings.group.${name}`) : name);

  const rowOf = ({ name, kind }) =>
    createSettingRow(t, {
      name,
      kind,
      onType: (text) => step({ type: "typed", name, text }),
      onReset: () => step({ type: "reset", name }),
    });

  function drawBar({ typed }) {
    const open = Object.keys(typed).length;
    setText(count, open > 0 ? t("settings.unsaved", { count: open }) : t("settings.allSaved"));
    setAttribute(bar, "data-unsaved", open > 0 ? "true" : null);
    save.disabled = revert.disabled = open === 0;
    if (open === 0) setText(wrong, "");
  }

  async function refresh() {
    step({ type: "asked" });
    try {
      const { body: found, tag } = await readSettings();
      step({ type: "came", settings: found.settings, tag });
    } catch (error) {
      page.refused(error);
      reasonOf(error, t); // anything but an answer of the server is a fault of ours
      step({ type: "failed", error });
      if (kept.state.phase === "ready") news.tell(reasonOf(error, t), { level: "bad" });
    }
  }

  function send() {
    const fault = firstFault(kept.state);
    if (fault) {
      setText(wrong, t("settings.cannot", { name: rows.get(fault.name).label }));
      rows.get(fault.name).focus();
      return;
    }
    whileWorking(save, () => put(changesOf(kept.state), kept.state.typed), failed).then(() =>
      drawBar(kept.state),
    );
  }

  async function put(changes, sent) {
    const back = reverseOf(kept.state, changes);
    const { body: found, tag } = await saveSettings(changes, kept.state.tag);
    setText(wrong, "");
    step({ type: "saved", settings: found.settings, tag, sent });
    news.tell(t("settings.saved", { count: Object.keys(changes).length }), { undo: () => takeBack(back) });
  }

  async function takeBack(changes) {
    try {
      const { body: found, tag } = await saveSettings(changes, kept.state.tag);
      step({ type: "came", settings: found.settings, tag });
      news.tell(t("settings.back"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) await refresh();
      news.tell(reasonOf(error, t), { level: "bad" });
    }
  }

  async function failed(error) {
    setText(wrong, error.status === 412 ? t("settings.overtaken", { code: error.code }) : reasonOf(error, t));
    if (error.status === 412) await refresh();
  }

  function act(name) {
    if (name === "save") return (send(), true);
    if (name !== "back" || Object.keys(kept.state.typed).length === 0) return false;
    step({ type: "reverted" });
    return true;
  }

  draw();
  return {
    element,
    open: refresh,
    close: () => {},
    act,
    unsaved: () => Object.keys(kept.state.typed).length > 0,
  };
}
