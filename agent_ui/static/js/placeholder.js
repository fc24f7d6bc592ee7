// What the transcript says where there are no lines: nobody calls, nobody spoke yet, or the call is not found.
//
// In: a call's state. Out: a panel with words or a skeleton. Not known here: lines.

import { h, setText } from "./dom.js";
import { CALL_STATE } from "./protocol.js";

export function mountPlaceholder(t, actions) {
  const title = h("p", { class: "placeholder-title" });
  const how = h("p");
  const back = h("button", { type: "button", onclick: actions.onLatestCall }, t("transcript.error.back"));
  const words = h("div", { class: "placeholder" }, title, how, back);
  const skeleton = h(
    "div",
    { class: "lines-skeleton", "aria-hidden": "true" },
    h("i"),
    h("i"),
    h("i"),
    h("i"),
    h("i"),
  );
  const element = h("div", { class: "lines-placeholder" }, words, skeleton);

  function update(kind, streamError) {
    element.hidden = kind === "none";
    skeleton.hidden = kind !== "loading";
    words.hidden = kind === "loading" || kind === "none";
    back.hidden = kind !== "error" && kind !== "forbidden";
    if (words.hidden) return;
    setText(title, t(`transcript.${kind}`));
    setText(how, t(`transcript.${kind}.how`, { code: streamError?.code }));
  }

  return { element, update };
}

const KIND_OF_CODE = { "access.no_seat": "noSeat", "access.forbidden": "forbidden" };

export function kindOf(state, isWatching, streamError) {
  if (streamError && state.lines.length === 0) return KIND_OF_CODE[streamError.code] ?? "error";
  if (isWatching && !state.isLoaded) return "loading";
  if (state.call === null) return "empty";
  if (state.lines.length > 0) return "none";
  return state.call.state === CALL_STATE.ENDED ? "blank" : "silent";
}
