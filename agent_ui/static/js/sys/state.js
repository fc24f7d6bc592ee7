// The view of how the machine is: read every few seconds, drawn in place, marked with its age when it is old.
//
// In: the server's state. Out: a view that stands still; what is to be done about what is not as it should be.
// Not known here: how anything is measured.

import { h, keyedRows, setAttribute, setText } from "../dom.js";
import { clockTime, duration } from "../format.js";
import { button, reasonOf, skeleton, sorry } from "../parts.js";
import { ageS, issuesOf, nameOf, shownValue, STALE_MS } from "./reading.js";
import { readState } from "./server.js";

const EVERY_MS = 5000;
const TICK_MS = 1000;

/** @param {{kept: object, refused: (error) => void, onLevel: (level: string|null) => void}} page */
export function mountState(t, page) {
  const { kept } = page;
  kept.read ??= null;
  let failure = null;
  let polling = 0;
  let ticking = 0;
  let asking = null;
  const overall = h("p", { class: "sys-overall", role: "status" });
  const age = h("p", { class: "sys-age" });
  const again = button(t("state.again"), () => read());
  const issues = h("ol", { class: "sys-issues" });
  const calm = h("p", { class: "sys-hint" }, t("state.calm"));
  const side = h(
    "aside",
    { class: "sys-side sys-state-side", "aria-label": t("state.todo") },
    h("h2", {}, t("state.todo")),
    overall,
    h("div", { class: "sys-row" }, age, again),
    issues,
    calm,
  );
  const columns = h("div", { class: "sys-columns" });
  const panels = h(
    "div",
    { class: "sys-panels", tabindex: "0", role: "region", "aria-label": t("view.state") },
    columns,
  );
  const place = h("div", { class: "sys-said" });
  const element = h(
    "div",
    { class: "sys-view sys-state" },
    side,
    h("div", { class: "sys-main" }, place, panels),
  );

  const drawPanels = keyedRows(columns, {
    key: ({ name }) => name,
    create: createPanel,
    update: (panel, section) => panel.update(section),
  });
  const drawIssues = keyedRows(issues, {
    key: ({ section, row }) => `${section} ${row.name}`,
    create: () => h("li", {}, h("b"), h("span", { class: "sys-issue-value" }), h("p")),
    update: (item, { section, row }) => {
      const [head, value, note] = item.children;
      setAttribute(item, "data-level", row.level);
      setText(head, `${t(`level.${row.level}`)} · ${nameOf(t, section)} · ${nameOf(t, section, row.name)}`);
      setText(value, shownValue(row, t, section));
      setText(note, row.note ?? t("state.noNote"));
    },
  });

  function createPanel({ name }) {
    const level = h("span", { class: "sys-level" });
    const list = h("dl", { class: "sys-facts" });
    const panel = h(
      "section",
      { class: "sys-box", "data-section": name, "aria-label": nameOf(t, name) },
      h("div", { class: "sys-box-head" }, h("h2", {}, nameOf(t, name)), level),
      list,
    );
    const draw = keyedRows(list, {
      key: (row) => row.name,
      create: (row) =>
        h(
          "div",
          {},
          h("dt", { title: nameOf(t, name, row.name) }, nameOf(t, name, row.name)),
          h("dd", {}, h("span"), h("i")),
        ),
      update: (line, row) => {
        const [value, mark] = line.querySelector("dd").children;
        setText(value, shownValue(row, t, name));
        setAttribute(value, "title", row.note ?? (typeof row.value === "string" ? row.value : null));
        setAttribute(line, "data-level", row.level);
        setText(mark, row.level === "ok" ? "" : t(`level.${row.level}`));
      },
    });
    panel.update = (section) => {
      setText(level, t(`level.${section.level}`));
      setAttribute(panel, "data-level", section.level);
      draw(section.rows);
    };
    return panel;
  }

  async function read() {
    clearTimeout(polling);
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const state = await readState(signal);
      kept.read = { state, atMs: Date.now() };
      failure = null;
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      reasonOf(error, t); // anything but an answer of the server is a fault of ours
      failure = error;
    }
    draw();
    if (!signal.aborted) polling = setTimeout(read, EVERY_MS);
  }

  function draw() {
    const { read: got } = kept;
    panels.hidden = got === null;
    place.hidden = got !== null;
    if (got === null) place.replaceChildren(failure ? sorry(failure, t, read) : skeleton(8));
    else {
      drawPanels(got.state.sections);
      drawIssues(issuesOf(got.state));
    }
    drawAge();
  }

  function drawAge() {
    const { read: got } = kept;
    const seconds = got ? ageS(got.atMs, Date.now()) : 0;
    const isStale = got !== null && (failure !== null || seconds * 1000 > STALE_MS);
    const level = got === null ? (failure ? "bad" : null) : isStale ? "look" : got.state.level;
    setAttribute(element, "data-stale", isStale ? "true" : null);
    setAttribute(overall, "data-level", level);
    const count = got ? issuesOf(got.state).length : 0;
    setText(overall, overallText(got, isStale, count));
    calm.hidden = got === null || count > 0;
    setText(age, ageText(got, isStale, seconds));
    page.onLevel(level);
  }

  function overallText(got, isStale, count) {
    if (got === null) return failure ? t("state.unreachable") : t("state.reading");
    if (isStale) return t(failure?.status === 0 ? "state.cut" : "state.old");
    return t(`state.overall.${got.state.level}`, { count });
  }

  function ageText(got, isStale, seconds) {
    if (isStale) {
      const old = duration(seconds, t.language);
      if (failure === null) return t("state.age.old", { old });
      if (failure.status === 0) return t("state.age.cut", { old });
      return t("state.age.failed", { old, reason: reasonOf(failure, t) });
    }
    return got ? t("state.age", { time: clockTime(got.atMs) }) : "";
  }

  function open() {
    draw();
    read();
    ticking = setInterval(drawAge, TICK_MS);
    document.addEventListener("visibilitychange", wake);
  }

  /** A page that is not looked at asks for nothing; looked at again, it asks at once. */
  function wake() {
    if (document.visibilityState === "visible") read();
    else clearTimeout(polling);
  }

  function close() {
    clearTimeout(polling);
    clearInterval(ticking);
    asking?.abort();
    document.removeEventListener("visibilitychange", wake);
  }

  function act(name) {
    return name === "again" ? (read(), true) : false;
  }

  return { element, open, close, act, unsaved: () => false };
}
