// The files of an order: shown, fetched, added by a button or by dropping them, taken away and brought back.
//
// In: files as the server tells them. Out: a list; changes to the server. Not known here: the order's steps.

import { h } from "../dom.js";
import { button, reasonOf } from "../parts.js";
import { addressOfFile, attach, setRemoved } from "./server.js";

/** @param {{news, onChanged: () => void}} page */
export function mountFiles(t, { news, onChanged }) {
  const picker = h("input", { type: "file", class: "offscreen", tabindex: "-1", "aria-label": t("files.add") });
  const add = button(t("files.add"), () => picker.click(), { title: t("files.add.tip") });
  const list = h("ul", { class: "ord-files" });
  const element = h(
    "section",
    { class: "sys-part" },
    h("div", { class: "ord-part-head" }, h("h3", {}, t("files.title")), add, picker),
    list,
  );
  let orderId = null;

  picker.addEventListener("change", () => {
    const [file] = picker.files;
    picker.value = "";
    if (file) send(file);
  });
  element.addEventListener("dragover", (event) => !add.hidden && event.preventDefault());
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && !add.hidden) send(file);
  });

  async function send(file) {
    const id = orderId;
    news.tell(t("files.sending", { name: file.name }));
    try {
      const made = await attach(id, file);
      news.tell(t("files.sent", { name: made.name }));
      if (id === orderId) onChanged();
    } catch (error) {
      news.tell(reasonOf(error, t), { level: "bad" });
    }
  }

  async function change(file, isRemoved) {
    const id = orderId;
    try {
      await setRemoved(id, file, isRemoved);
      const undo = { undo: () => change(file, false), label: t("files.back") };
      if (isRemoved) news.tell(t("files.removed", { name: file.name }), undo);
      if (id === orderId) onChanged();
    } catch (error) {
      news.tell(reasonOf(error, t), { level: "bad" });
    }
  }

  /** Show the files of an order; nothing is added to one that is over. */
  function show(order, attachments) {
    orderId = order.order_id;
    add.hidden = ["closed", "merged"].includes(order.state);
    const held = attachments.filter((file) => !file.is_removed);
    list.replaceChildren(
      ...(held.length > 0 ? held.map(rowOf) : [h("li", { class: "sys-hint" }, t("files.none"))]),
    );
  }

  function rowOf(file) {
    const isPicture = file.media_type.startsWith("image/");
    const address = addressOfFile(orderId, file);
    return h(
      "li",
      {},
      isPicture
        ? h("img", { src: addressOfFile(orderId, file, { isShown: true }), alt: "", loading: "lazy" })
        : h("span", { class: "ord-kind", "aria-hidden": "true" }, file.name.split(".").at(-1).toUpperCase()),
      h("a", { class: "sys-link", href: address, download: file.name }, file.name),
      h("small", {}, `${sizeOf(file.n_bytes)} · ${file.author}`),
      add.hidden ? "" : button(t("files.remove"), () => change(file, true), { class: "quiet" }),
    );
  }

  return { element, show, add: () => !add.hidden && (picker.click(), true) };
}

function sizeOf(bytes) {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
