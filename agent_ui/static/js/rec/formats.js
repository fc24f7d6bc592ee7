// Choosing a format and downloading in it; the choice is remembered in this browser.
//
// In: how a file of a format is fetched. Out: a choice with a button, the file in the browser's downloads.

import { h, lock, saveFile, setText } from "../dom.js";
import { button, reasonOf, whileWorking } from "../parts.js";

const FORMATS = ["docx", "txt", "csv", "srt", "vtt", "json"];
const KEY = "zhiting.format";

/** @param {{label: string, news, fetch: (format: string) => Promise<Blob>, nameOf: (format: string) => string}} how */
export function mountFormats(t, { label, news, fetch, nameOf }) {
  const choice = h(
    "select",
    { "aria-label": t("format.label"), title: t("format.label") },
    ...FORMATS.map((name) => h("option", { value: name }, t(`format.${name}`))),
  );
  const kept = localStorage.getItem(KEY);
  choice.value = FORMATS.includes(kept) ? kept : FORMATS[0];
  choice.addEventListener("change", () => localStorage.setItem(KEY, choice.value));
  const go = button(label, save, { title: t("format.tip") });
  const element = h("span", { class: "rec-formats" }, choice, go);

  async function save() {
    const format = choice.value;
    await whileWorking(
      go,
      async () => {
        setText(go, t("format.packing"));
        const name = nameOf(format);
        saveFile(await fetch(format), name);
        news.tell(t("format.saved", { name }));
      },
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    );
    setText(go, label);
  }

  return { element, save: () => (go.click(), true), allow: (isAllowed) => lock(go, !isAllowed) };
}
