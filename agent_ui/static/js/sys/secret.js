// Something that is shown once: a password or a key, to be copied now.
//
// In: the secret, what is said of it. Out: an element. Not known here: what it opens.

import { copyText, h, setText } from "../dom.js";
import { button } from "../parts.js";

/** What fits on one line of the panel. */
const LINE_CHARS = 24;

/** The button that copies it has the focus as soon as it is on the page.
 * @param {{title: string, secret: string, lines: Array<string>, onDone: () => void}} how */
export function secretOnce(t, { title, secret, lines, onDone }) {
  const field = h("textarea", {
    class: "sys-secret",
    rows: secret.length > LINE_CHARS ? "3" : "1",
    readonly: true,
    spellcheck: "false",
    "aria-label": title,
  });
  field.value = secret;
  field.addEventListener("focus", () => field.select());
  const said = h("span", { class: "sys-hint", role: "status" });
  const copy = button(
    t("secret.copy"),
    async () => {
      setText(said, t((await copyText(secret)) ? "secret.copied" : "secret.notCopied"));
    },
    { class: "primary" },
  );
  queueMicrotask(() => copy.focus());
  return h(
    "section",
    { class: "sys-once", "aria-label": title },
    h("h3", {}, title),
    h("div", { class: "sys-row" }, field, copy),
    said,
    ...lines.map((line) => h("p", {}, line)),
    button(t("secret.done"), onDone),
  );
}
