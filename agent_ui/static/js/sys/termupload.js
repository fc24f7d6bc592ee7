// A file for the whole list: taken at once, told what it changes, and taken back with one press.
//
// In: a CSV file that somebody chose. Out: the list on the server. A file that cannot be read changes nothing.

import { h } from "../dom.js";
import { button, many, reasonOf, whileWorking } from "../parts.js";
import { fetchTermFile, putTermFile } from "./server.js";
import { exchangeOf } from "./terms.js";

/** @param {{news, terms: () => Array<object>, tag: () => string|null, onChanged: (answer) => void,
 *   onOvertaken: () => Promise<void>}} page */
export function mountTermUpload(t, page) {
  const { news } = page;
  const file = h("input", {
    type: "file",
    accept: ".csv,text/csv",
    class: "offscreen",
    tabindex: "-1",
    "aria-hidden": "true",
  });
  const choose = button(t("terms.upload"), () => file.click(), { title: t("terms.upload.tip") });
  const element = h("div", { class: "sys-notice", hidden: true });
  let held = null;

  file.addEventListener("change", () => {
    held = file.files[0] ?? null;
    file.value = ""; // the same file once more is a change, too
    if (held) whileWorking(choose, () => send(held), failed);
  });

  async function send(content) {
    say();
    const before = page.terms();
    const old = await fetchTermFile();
    const answer = await putTermFile(content, page.tag());
    page.onChanged(answer);
    const { added, gone, changed } = exchangeOf(before, answer.body.terms);
    const values = { total: many(answer.body.total, t), added, gone, changed };
    news.tell(t("terms.uploaded", values), { undo: () => takeBack(old) });
  }

  async function takeBack(old) {
    try {
      page.onChanged(await putTermFile(old, page.tag()));
      news.tell(t("terms.uploadedBack"));
    } catch (error) {
      failed(error);
    }
  }

  function failed(error) {
    const close = button(t("help.close"), () => say());
    if (error.status === 412) {
      const again = button(t("terms.overtaken.again"), async (event) => {
        await whileWorking(event.currentTarget, () => send(held), failed);
      });
      page.onOvertaken();
      say(h("p", {}, t("terms.overtaken", { code: error.code })), again, close);
      return;
    }
    say(
      h("p", {}, h("b", {}, t("terms.refused", { name: held?.name ?? "" })), reasonOf(error, t)),
      h("p", { class: "sys-hint" }, t("terms.refused.how")),
      close,
    );
  }

  /** Say something above the list, or nothing any more. */
  function say(...words) {
    element.replaceChildren(...words);
    element.hidden = words.length === 0;
    if (words.length > 0) element.setAttribute("role", "alert");
  }

  return { element, button: h("span", { class: "sys-file" }, choose, file) };
}
