// How far an upload is, at the foot of the list, and what became of it where it failed.
//
// In: `Sending` states. Out: one line in a place of its own, a notice over the end of the list.

import { h, setAttribute, setText } from "../dom.js";
import { button, reasonOf } from "../parts.js";
import { percent, sendingText } from "./uploads.js";

/** @param {{onCancel: () => void, onAgain: () => void, onDismiss: () => void}} actions */
export function mountStrip(t, actions) {
  const bar = h("progress", { max: "100", value: "0" });
  const text = h("span");
  const cancel = button(t("upload.cancel"), actions.onCancel);
  const foot = h("div", { class: "rec-strip", hidden: true }, bar, cancel, text);
  const notice = h("div", { class: "sys-notice", role: "alert", hidden: true });

  let told = null;
  function draw(state) {
    const isOn = state.phase === "sending" || state.phase === "waiting";
    foot.hidden = !isOn;
    if (isOn) {
      bar.value = percent(state);
      const said = sendingText(state, t);
      setText(text, said);
      text.title = said;
      setAttribute(bar, "aria-label", said);
    }
    const isFailed = state.phase === "failed";
    if (isFailed && state !== told) {
      told = state;
      notice.replaceChildren(
        h("p", {}, h("b", {}, t("upload.failed", { name: state.name })), sentence(state.error)),
        button(t("upload.again"), actions.onAgain),
        button(t("help.close"), actions.onDismiss),
      );
    }
    notice.hidden = !isFailed;
  }

  function sentence(error) {
    if (error.code === "upload.file_gone") return t("upload.gone");
    if (error.code === "network") return t("upload.network");
    return reasonOf(error, t);
  }

  return { foot, notice, draw };
}
