// Trying the product without a telephone: a button for the header, and a panel in place of the left column.
//
// In: the desk's language and who sits there. Out: a button, a panel, and calls of `actions.onPick`.
// Not known here: how sound goes to the server. Calls in progress outlive the panel and the language.

import { h, setAttribute } from "../dom.js";
import { wordsOf } from "../i18n.js";
import { mountFileView } from "./file_view.js";
import { mountMicView } from "./mic_view.js";
import { createPlaylist } from "./playlist.js";
import { createTrial, isAtRest } from "./trial.js";
import { TRY_WORDS } from "./words.js";

const kept = { trial: null, playlist: null, isOpen: false, tab: "mic" };

/** @param {{onPick: (callId: string) => void}} actions
 * @param {AbortSignal} signal ends its listeners, so that it can be built anew */
export function mountTrial(language, actions, signal) {
  kept.trial ??= createTrial();
  kept.playlist ??= createPlaylist();
  const t = wordsOf(language, TRY_WORDS);
  let seat = null;
  const follow = (callId) => {
    if (seat === null) actions.onPick(callId); // a seat's own desk follows its calls anyway
  };
  const how = { operatorId: () => seat, onCall: follow, onShow: actions.onPick };
  const views = {
    mic: mountMicView(t, { ...how, trial: kept.trial }, signal),
    file: mountFileView(t, { ...how, playlist: kept.playlist }, signal),
  };
  const button = h(
    "button",
    { type: "button", class: "quiet try-open", "aria-expanded": "false", "aria-controls": "try", onclick: () => toggle() },
    h("i", { class: "try-lamp", "aria-hidden": "true" }),
    t("try.open"),
    h("kbd", { "aria-hidden": "true" }, "M"),
  );
  const tabs = Object.keys(views).map((name) =>
    h("button", { type: "button", "data-tab": name, onclick: () => show(name) }, t(`try.${name}`)),
  );
  const close = h(
    "button",
    { type: "button", class: "quiet", title: t("try.close.tip"), onclick: () => toggle(false) },
    t("try.close"),
  );
  const element = h(
    "aside",
    { id: "try", class: "try", hidden: true, "aria-label": t("try.open") },
    h("div", { class: "column-head" }, h("div", { class: "try-tabs" }, ...tabs), close),
    views.mic.element,
    views.file.element,
  );

  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    toggle(false);
  });
  document.addEventListener("keydown", onKey, { signal });
  kept.trial.watch(({ phase }) => {
    const isOn = !isAtRest(phase);
    setAttribute(button, "data-live", isOn ? "true" : null);
    setAttribute(button, "title", t(isOn ? "try.open.live" : "try.open.tip"));
  }, signal);
  show(kept.tab);
  if (kept.isOpen) toggle(true);

  function onKey(event) {
    const isTyped = event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey;
    if (isTyped || event.key.toLowerCase() !== "m") return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select") !== null) return;
    event.preventDefault();
    toggle();
  }

  function show(name) {
    kept.tab = name;
    for (const tab of tabs) setAttribute(tab, "aria-pressed", String(tab.dataset.tab === name));
    for (const [key, view] of Object.entries(views)) view.element.hidden = key !== name;
  }

  function toggle(isOpen = element.hidden) {
    kept.isOpen = isOpen;
    element.hidden = !isOpen;
    setAttribute(button, "aria-expanded", String(isOpen));
    if (!isOpen) return button.focus();
    kept.trial.refreshDevices();
    views[kept.tab].focus();
    return undefined;
  }

  return {
    button,
    element,
    update: ({ operatorId }) => {
      seat = operatorId;
    },
  };
}
