// Choosing recordings and saying how they shall be heard, beside the list while no job is open.
//
// In: files of this computer or paths of the server. Out: a job, through the sender or at once.
// Not known here: how files are sent. What was chosen is kept while the page is open.

import { h, lock, setAttribute, setText } from "../dom.js";
import { button, many, reasonOf, whileWorking } from "../parts.js";
import { mountTabs } from "../sys/controls.js";
import { sizeText } from "./jobs.js";
import { filesDropped, filesOfField } from "./picking.js";
import { leavePaths, readLimits } from "./server.js";
import { addFiles, defaultName, nothingChosen, pathsOf, refusalOf, sumOf, wishOf } from "./uploads.js";
import { mountWish } from "./wishform.js";

const ROWS = 200;

/** @param {{news, sender, kept: object, onJob: (job) => void}} page */
export function mountUploadPanel(t, page) {
  const { news, sender, kept } = page;
  kept.chosen ??= nothingChosen();
  kept.limits ??= null;
  const fileField = h("input", { type: "file", multiple: true, hidden: true });
  const folderField = h("input", { type: "file", webkitdirectory: true, hidden: true });
  const kinds = h("p", { class: "sys-hint" });
  const choose = button(t("upload.files"), () => fileField.click(), { class: "primary" });
  const drop = h(
    "div",
    { class: "rec-drop" },
    h("div", { class: "rec-drop-row" }, choose, button(t("upload.folder"), () => folderField.click())),
    h("p", {}, t("upload.drop")),
    kinds,
    fileField,
    folderField,
  );
  const count = h("b");
  const clear = button(t("upload.clear"), () => keep({ files: [], leftOut: [] }), { class: "quiet" });
  const rows = h("ol", { class: "rec-chosen" });
  const leftOut = h("p", { class: "sys-hint" });
  const picked = h("div", { class: "rec-picked" }, h("p", {}, count, clear), rows, leftOut);
  const paths = h("textarea", { rows: "4", id: "rec-paths", spellcheck: "false" });
  const folders = h("div", { class: "sys-row" });
  const there = h(
    "div",
    { class: "sys-field" },
    h("label", { for: "rec-paths" }, t("upload.paths")),
    paths,
    h("p", { class: "sys-hint" }, t("upload.paths.how")),
    folders,
  );
  const source = mountTabs({
    names: ["here", "there"],
    label: t("upload.source"),
    text: (name) => t(`upload.${name}`),
    chosen: kept.chosen.source,
    onChoose: (name) => keep({ source: name }),
  });
  const wish = mountWish(t, { wish: kept.chosen.wish, onChange: (next) => keep({ wish: next }) });
  const fault = h("p", { class: "sys-fault", role: "alert" });
  const start = h("button", { type: "submit", class: "primary rec-big" });
  const form = h("form", { class: "rec-upload" }, wish.element, fault, start);
  const element = h(
    "aside",
    { class: "sys-side rec-side", "aria-label": t("upload.title") },
    h("div", { class: "rec-upload-head" }, h("h2", {}, t("upload.title"), h("kbd", {}, "N")), source.element),
    h("div", { class: "rec-upload-what" }, drop, picked, there),
    form,
  );

  for (const field of [fileField, folderField]) {
    field.addEventListener("change", () => {
      take(filesOfField(field.files));
      field.value = ""; // the same files once more are a change, too
    });
  }
  paths.value = kept.chosen.paths;
  paths.addEventListener("input", () => keep({ paths: paths.value }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (start.getAttribute("aria-disabled") !== "true") go();
  });

  function keep(changes) {
    kept.chosen = { ...kept.chosen, ...changes };
    draw();
  }

  function take(found) {
    const before = kept.chosen.files.length;
    kept.chosen = addFiles({ ...kept.chosen, source: "here" }, found);
    source.choose("here");
    if (kept.chosen.files.length === before && found.every(({ isFromFolder }) => isFromFolder)) {
      setText(fault, t("upload.nothing"));
    } else start.focus();
  }

  function draw() {
    const { files, source: from, wish: wanted } = kept.chosen;
    const isHere = from === "here";
    const { limits } = kept;
    source.element.hidden = !limits || limits.folders.length === 0;
    drop.hidden = picked.hidden = !isHere;
    there.hidden = isHere;
    const values = limits && { size: sizeText(limits.max_bytes, t), files: many(limits.max_files, t) };
    setText(kinds, values ? t("upload.kinds", values) : t("upload.kindsUnknown"));
    setText(count, t("upload.chosen", { count: many(files.length, t), size: sizeText(sumOf(files), t) }));
    picked.dataset.count = String(files.length);
    clear.hidden = files.length === 0;
    drawRows();
    wish.update(wanted, isHere ? defaultName(files, t) : "");
    setText(fault, isHere ? (refusalOf(files, limits, t) ?? "") : "");
    setText(start, sender.isBusy() && isHere ? t("upload.busy") : t(isHere ? "upload.start" : "upload.startThere"));
    const isReady = isHere
      ? files.length > 0 && fault.textContent === "" && !sender.isBusy()
      : pathsOf(kept.chosen.paths).length > 0;
    lock(start, !isReady);
  }

  let drawnFiles = null;
  function drawRows() {
    const { files, leftOut: others } = kept.chosen;
    setText(leftOut, others.length > 0 ? t("upload.leftOut", { count: many(others.length, t) }) : "");
    leftOut.title = others.slice(0, 20).join("\n");
    if (files === drawnFiles) return;
    drawnFiles = files;
    const more = files.length - ROWS;
    rows.replaceChildren(
      ...files.slice(0, ROWS).map(rowOf),
      ...(more > 0 ? [h("li", {}, t("upload.more", { count: many(more, t) }))] : []),
    );
  }

  function rowOf(one) {
    const { file, path } = one;
    const away = button("×", () => keep({ files: kept.chosen.files.filter((other) => other !== one) }), {
      class: "quiet",
      "aria-label": t("upload.remove", { name: file.name }),
      title: t("upload.remove", { name: file.name }),
    });
    return h("li", {}, h("span", { title: path }, path), h("small", {}, sizeText(file.size, t)), away);
  }

  async function go() {
    const { files, source: from, wish: wanted, paths: typed } = kept.chosen;
    if (from === "there") {
      await whileWorking(
        start,
        async () => taken(await leavePaths(pathsOf(typed), wishOf(wanted, pathsOf(typed)[0])), { paths: "" }),
        (error) => setText(fault, reasonOf(error, t)),
      );
      return lock(start, pathsOf(kept.chosen.paths).length === 0);
    }
    try {
      const sent = sender.send(files, wishOf(wanted, defaultName(files, t)));
      draw();
      const job = await sent;
      if (job !== null) taken(job, { files: [], leftOut: [] });
      else news.tell(t("upload.cancelled"));
    } catch (error) {
      reasonOf(error, t); // anything but an answer of the server is a fault of ours; the notice says it
    }
    draw();
  }

  function taken(job, changes) {
    paths.value = changes.paths ?? paths.value;
    keep({ ...changes, wish: { ...kept.chosen.wish, name: "" } });
    news.tell(t("upload.done", { name: job.name }));
    page.onJob(job);
  }

  async function learnLimits() {
    try {
      kept.limits = await readLimits();
    } catch (error) {
      reasonOf(error, t); // the server will say itself what is too much
      return;
    }
    folders.replaceChildren(
      ...kept.limits.folders.map((folder) =>
        button(folder, () => {
          paths.value = [...pathsOf(paths.value), folder].join("\n");
          keep({ paths: paths.value });
          paths.focus();
        }),
      ),
    );
    draw();
  }

  /** Let things be dropped anywhere on `place`, where `mayDrop` says so; elsewhere the browser would leave the page.
   * @param {() => void} onDropped */
  function acceptDrops(place, mayDrop, onDropped) {
    for (const name of ["dragenter", "dragover"]) {
      place.addEventListener(name, (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setAttribute(place, "data-over", mayDrop() ? "true" : null);
      });
    }
    place.addEventListener("dragleave", (event) => {
      if (!place.contains(event.relatedTarget)) setAttribute(place, "data-over", null);
    });
    place.addEventListener("drop", async (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      setAttribute(place, "data-over", null);
      if (!mayDrop()) return;
      const found = filesDropped(event.dataTransfer);
      onDropped();
      take(await found);
    });
  }

  draw();
  return { element, draw, acceptDrops, open: learnLimits, again: go, focus: () => choose.focus() };
}
