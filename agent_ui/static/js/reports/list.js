// The list of reports, and the form by which one is made.
//
// In: the reports of the server. Out: rows, and calls of `onOpen`. Not known here: what a report holds.

import { h, setAttribute } from "../dom.js";
import { button, emptiness, moment, sorry } from "../parts.js";
import { mountPager } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { mountMaking } from "./making.js";
import { makeReport, PAGE, readChoices, readReports } from "./server.js";

const KINDS = ["", "day", "week", "month", "issue"];

/** @param {{kept: object, isDepartment: boolean, refused: (error) => void, onOpen: (id: string) => void}} page */
export function mountList(t, { kept, isDepartment, refused, onOpen }) {
  kept.kind ??= "";
  kept.offset ??= 0;
  let asking = null;
  let chosen = null;
  let found = null;
  const kinds = (isDepartment ? [] : KINDS).map((name) =>
    button(t(name ? `kind.${name}` : "kind.all"), () => choose(name), { "aria-pressed": "false", "data-kind": name }),
  );
  const table = mountTable(t, {
    label: t("report.list"),
    key: (one) => one.report_id,
    columns: [
      { name: "report", label: t("report.title"), cell: (one) => ({ text: one.title.replace(/^12345热线/, ""), title: one.title }) },
      { name: "made", label: t("report.made"), cell: (one) => ({ text: moment(one.made_at, t), sub: one.made_by || t("report.bySchedule") }) },
    ],
    onOpen: (one) => onOpen(one.report_id),
  });
  const making = mountMaking(t, {
    isDepartment,
    choices: readChoices,
    onMake: async (wish) => {
      const made = await makeReport(wish);
      toggle(false);
      kept.kind = "";
      kept.offset = 0;
      await read();
      onOpen(made.report_id);
    },
    onClose: () => toggle(false),
  });
  const start = button(t("making.title"), () => toggle(), { class: "primary", title: `${t("making.title")} (N)`, "aria-expanded": "false" });
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), read()) });
  const element = h(
    "section",
    { class: "sys-main report-list", "aria-label": t("report.list") },
    h("div", { class: "sys-head" }, h("div", { class: "list-tabs", role: "group", "aria-label": t("report.kinds") }, ...kinds), start),
    making.element,
    table.element,
    h("div", { class: "sys-foot" }, pager.element),
  );

  function toggle(isOpen = !making.isOpen(), warningId = "") {
    if (isOpen) making.open(warningId);
    else {
      making.close();
      start.focus();
    }
    setAttribute(start, "aria-expanded", String(isOpen));
    return true;
  }

  function choose(name) {
    kept.kind = name;
    kept.offset = 0;
    read();
  }

  async function read() {
    asking?.abort();
    asking = new AbortController();
    for (const one of kinds) setAttribute(one, "aria-pressed", String(one.dataset.kind === kept.kind));
    table.wait();
    try {
      found = await readReports(kept.kind || null, kept.offset, asking.signal);
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      refused(error);
      table.say(sorry(error, t, read));
    }
  }

  function draw() {
    if (found === null) return;
    pager.update(kept.offset, found.total);
    if (found.reports.length > 0) table.show(found.reports, chosen);
    else table.say(emptiness(t("report.none"), t(isDepartment ? "report.none.department" : "report.none.how")));
  }

  return {
    element,
    read,
    mark: (id) => {
      chosen = id;
      draw();
    },
    turn: pager.turn,
    newest: () => found?.reports[0]?.report_id ?? null,
    make: toggle,
    move: table.move,
    focus: table.focus,
    back: () => making.isOpen() && toggle(false),
    close: () => asking?.abort(),
  };
}
