// Publishing: what will change, how far it is, which test questions passed, versions to go back to.
//
// In: the server's answers, asked again while a publish runs. Out: a view.
// Not known here: how a version is made.

import { h, keyedRows, lock, setAttribute, setText } from "../dom.js";
import { mountCanaries } from "./canaries.js";
import { button, emptiness, many, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { beginPublish, readChanges, readPublish, readTitles, readVersions, rollBack } from "./server.js";

const POLL_MS = 1000;
const LISTED = 200;
const KINDS = ["added", "changed", "removed"];

/** @param {{news, onChanges: (changes) => void, onOpen: (id: string) => void}} page */
export function mountPublish(t, page) {
  const { news } = page;
  let isOpen = false;
  let state = null;
  let timer = 0;

  const go = button(t("publish.go"), publish, { class: "primary kb-big" });
  const summary = h("p", { class: "kb-summary", role: "status" });
  const bar = h("progress", { max: "1", "aria-label": t("publish.progress") });
  const progress = h("div", { class: "kb-progress" }, h("span", { role: "status" }), bar);
  const lists = h("div", { class: "kb-change-lists" });
  const versions = h("tbody");
  const versionState = h("div");
  const canaries = mountCanaries(t, { news, onOpen: page.onOpen });
  const element = h(
    "div",
    { class: "kb-view kb-publish" },
    h(
      "section",
      { class: "kb-box", "aria-label": t("publish.title") },
      h("div", { class: "kb-box-head" }, h("h2", {}, t("publish.title")), summary, go),
      progress,
      lists,
    ),
    h(
      "div",
      { class: "kb-column" },
      canaries.element,
      h(
        "section",
        { class: "kb-box", "aria-label": t("versions.title") },
        h(
          "div",
          { class: "kb-box-head" },
          h("h2", {}, t("versions.title")),
          h("p", { class: "kb-hint" }, t("versions.how")),
        ),
        h("table", { class: "kb-plain" }, versions),
        versionState,
      ),
    ),
  );

  const showVersions = keyedRows(versions, {
    key: (item) => item.version,
    create: (item) =>
      h(
        "tr",
        {},
        h("td", {}, moment(item.published_at, t)),
        h("td", {}, t("versions.articles", { count: many(item.articles, t) })),
        h("td", { class: "kb-code" }, item.version),
        h(
          "td",
          { class: "kb-act" },
          h("span"),
          button(t("versions.back"), (event) => goBack(event.currentTarget, item)),
        ),
      ),
    update: (row, item) => {
      const [said, back] = row.lastChild.children;
      setText(said, item.is_current ? t("versions.current") : "");
      back.hidden = item.is_current;
      setAttribute(row, "data-current", item.is_current ? "true" : null);
    },
  });

  function open() {
    isOpen = true;
    readAll();
  }

  function close() {
    isOpen = false;
    clearTimeout(timer);
  }

  async function readAll() {
    canaries.refresh();
    await Promise.all([poll(), showChanges(), listVersions()]);
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const wasRunning = state?.is_running ?? false;
      state = await readPublish();
      draw();
      if (wasRunning && !state.is_running) {
        canaries.tell(state);
        showChanges();
        listVersions();
      }
    } catch (error) {
      setText(progress.firstChild, reasonOf(error, t));
    }
    if (isOpen && (state === null || state.is_running)) timer = setTimeout(poll, POLL_MS);
  }

  function draw() {
    const { stage, done, total, is_running: isRunning } = state;
    const values = {
      done: many(done, t),
      total: many(total, t),
      count: state.canaries,
      at: moment(state.started_at, t),
    };
    const said =
      stage === "failed"
        ? t("stage.failed", { message: state.message, code: state.code })
        : t(`stage.${stage}`, values);
    setText(progress.firstChild, said);
    setAttribute(progress, "data-stage", stage);
    bar.hidden = !isRunning;
    if (stage === "embedding" && total > 0) bar.value = done / total;
    else bar.removeAttribute("value");
    lock(go, isRunning);
    setText(go, t(isRunning ? "publish.running" : stage === "interrupted" ? "publish.again" : "publish.go"));
    canaries.tell(state);
  }

  function publish() {
    return whileWorking(
      go,
      async () => {
        state = await beginPublish();
        draw();
      },
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    ).then(poll);
  }

  async function showChanges() {
    if (lists.childElementCount === 0) lists.replaceChildren(skeleton(4));
    try {
      const changes = await readChanges();
      page.onChanges(changes);
      const counts = Object.fromEntries(KINDS.map((kind) => [kind, many(changes[kind].length, t)]));
      setText(summary, t("publish.summary", counts));
      const listed = KINDS.flatMap((kind) => changes[kind].slice(0, LISTED));
      const titles = listed.length > 0 ? await readTitles(listed) : {};
      if (listed.length === 0)
        lists.replaceChildren(emptiness(t("publish.nothing"), t("publish.nothing.how")));
      else
        lists.replaceChildren(
          ...KINDS.filter((kind) => changes[kind].length > 0).map((kind) =>
            listOf(kind, changes[kind], titles),
          ),
        );
    } catch (error) {
      lists.replaceChildren(sorry(error, t, showChanges));
    }
  }

  function listOf(kind, ids, titles) {
    const more = ids.length - LISTED;
    return h(
      "section",
      { "data-kind": kind },
      h("h3", {}, t(`publish.${kind}`, { count: many(ids.length, t) })),
      h(
        "ol",
        {},
        ...ids.slice(0, LISTED).map((id) => h("li", {}, linkTo(id, titles[id], page.onOpen))),
        ...(more > 0 ? [h("li", { class: "kb-hint" }, t("publish.more", { count: many(more, t) }))] : []),
      ),
    );
  }

  async function listVersions() {
    try {
      const found = await readVersions();
      showVersions(found);
      versionState.replaceChildren(
        found.length > 0 ? "" : emptiness(t("versions.empty"), t("versions.empty.how")),
      );
    } catch (error) {
      versionState.replaceChildren(sorry(error, t, listVersions));
    }
  }

  async function serve(version) {
    await rollBack(version);
    await Promise.all([listVersions(), showChanges()]);
  }

  function goBack(from, { version }) {
    return whileWorking(
      from,
      async () => {
        const current = (await readVersions()).find((one) => one.is_current)?.version ?? null;
        await serve(version);
        const failed = (error) => news.tell(reasonOf(error, t), { level: "bad" });
        news.tell(t("versions.went", { version }), {
          undo: current ? () => serve(current).catch(failed) : null,
        });
      },
      (error) => news.tell(reasonOf(error, t), { level: "bad" }),
    );
  }

  return { element, open, close };
}

/** An article by its title; what was deleted cannot be opened from here. */
export function linkTo(id, told, onOpen) {
  const title = told?.title ?? id;
  const link = h("button", { type: "button", class: "kb-link", onclick: () => onOpen(id) }, title);
  return h("span", {}, link, h("small", { class: "kb-hint" }, id));
}
