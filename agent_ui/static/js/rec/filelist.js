// The files of one job: state and progress of each, why some have no transcript.
//
// In: a job and a page of its files. Out: a list of one height however they fare; calls of `onOpen`, `onAsk`.
// Not known here: the server.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { emptiness, many, skeleton } from "../parts.js";
import { mountPager, mountTabs } from "../sys/controls.js";
import { FILES_PAGE, fileSays, fileState, keepSame } from "./jobs.js";

const KINDS = ["all", "done", "failed", "waiting"];

/** @param {{onOpen: (number: number) => void, onAsk: () => void}} actions `onAsk`: other files are wanted */
export function mountFileList(t, actions) {
  let kind = "all";
  let offset = 0;
  let files = [];
  let job = null;
  let stop = null;
  const opened = new Set();
  const list = h("ol", { class: "rec-files" });
  const said = h("div");
  const tabs = mountTabs({
    names: KINDS,
    label: t("files.which"),
    text: (name) => t(`files.${name}`, { count: "" }),
    chosen: kind,
    onChoose: (name) => {
      kind = name;
      offset = 0;
      actions.onAsk();
    },
  });
  const pager = mountPager(t, {
    size: FILES_PAGE,
    onTurn: (next) => {
      offset = next;
      actions.onAsk();
    },
  });
  const scroll = h("div", { class: "rec-files-scroll" }, list, said);
  const element = h(
    "section",
    { class: "rec-files-box", "aria-label": t("job.files") },
    h("div", { class: "rec-files-head" }, tabs.element),
    scroll,
    h("div", { class: "rec-files-foot" }, pager.element),
  );

  const draw = keyedRows(list, {
    key: ({ file }) => String(file.number),
    create: createRow,
    update: updateRow,
  });

  function createRow({ file: { number } }) {
    const row = h(
      "button",
      { type: "button", class: "rec-file", onclick: () => press(number) },
      h("span", { class: "rec-file-name" }),
      h("span", { class: "rec-file-state" }),
      h("small"),
    );
    row.addEventListener("focus", () => settle(number));
    return h("li", {}, row);
  }

  function updateRow(item, { file, isStop, isOpen, says, state }) {
    const row = item.firstChild;
    const [name, word, small] = row.children;
    setText(name, file.name);
    setText(word, t(`file.${state}`));
    setAttribute(row, "data-state", state);
    setText(small, says.text);
    setAttribute(small, "data-mark", says.mark);
    const tip = { done: t("file.open"), failed: says.text }[file.state];
    setAttribute(row, "title", [file.name, tip].filter(Boolean).join("\n"));
    setAttribute(row, "tabindex", isStop ? "0" : "-1");
    setAttribute(row, "aria-expanded", file.state === "failed" ? String(isOpen) : null);
    setAttribute(row, "aria-disabled", file.state === "waiting" ? "true" : null);
  }

  /** A transcript opens; a refusal shows all of its reason. */
  function press(number) {
    const file = files.find((one) => one.number === number);
    if (file.state === "done") return actions.onOpen(number);
    if (!opened.delete(number)) opened.add(number);
    redraw();
  }

  function settle(number) {
    if (stop === number) return;
    stop = number;
    redraw();
  }

  let drawn = new Map();
  function redraw() {
    if (!files.some(({ number }) => number === stop)) stop = files[0]?.number ?? null;
    const next = files.map((file) => {
      const isOpen = kind === "failed" || opened.has(file.number);
      const item = { file, isStop: file.number === stop, isOpen };
      return { ...item, says: fileSays(file, t), state: fileState(file, job) };
    });
    const known = keepSame([...drawn.values()], next, ({ file }) => file.number);
    drawn = new Map(known.map((item) => [item.file.number, item]));
    draw(known);
  }

  function show(nextJob, nextFiles) {
    job = nextJob;
    files = nextFiles;
    const { total, done, failed, waiting } = job.files;
    const counts = { all: total, done, failed, waiting };
    [...tabs.element.children].forEach((tab, place) => {
      const name = KINDS[place];
      setText(tab, t(`files.${name}`, { count: many(counts[name], t) }));
      setAttribute(tab, "data-mark", name === "failed" && failed > 0 ? "bad" : null);
    });
    pager.update(offset, counts[kind]);
    element.lastChild.hidden = counts[kind] <= FILES_PAGE;
    said.replaceChildren(...(files.length === 0 ? [emptiness(t("files.none"), t("files.none.how"))] : []));
    redraw();
  }

  function clear() {
    [kind, offset, files, stop] = ["all", 0, [], null];
    opened.clear();
    drawn = new Map();
    draw([]);
    said.replaceChildren(skeleton(4));
    [...tabs.element.children].forEach((tab, place) => {
      setAttribute(tab, "aria-selected", String(place === 0));
      tab.tabIndex = place === 0 ? 0 : -1;
    });
  }

  function rowOf(number) {
    const place = files.findIndex((one) => one.number === number);
    return place < 0 ? null : list.children[place].firstChild;
  }

  /** One row on or back. */
  function move(by) {
    if (files.length === 0) return false;
    const place = files.findIndex(({ number }) => number === stop);
    const next = hasFocus() ? Math.min(files.length - 1, Math.max(0, place + by)) : place;
    return focus(files[next].number);
  }

  function focus(number) {
    const row = rowOf(number) ?? rowOf(stop);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    return row !== null;
  }

  const hasFocus = () => list.contains(document.activeElement);

  return {
    element,
    show,
    clear,
    move,
    focus,
    hasFocus,
    turn: pager.turn,
    asked: () => ({ offset, state: kind === "all" ? null : kind }),
  };
}
