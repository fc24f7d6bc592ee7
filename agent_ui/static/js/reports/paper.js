// A report as it is read: title, chapters with figures, prose, charts, tables and quotes, and where numbers come from.
//
// In: a report of the server. Out: elements. Not known here: the list, files.

import { h } from "../dom.js";
import { moment } from "../parts.js";
import { chartOf } from "./chart.js";
import { cellText, numeral, shown, sourcesOf, tilesInRow, unitOf } from "./figures.js";

/** @param {{report: object, content: object, drawings: object, notes: object, times: Array<Array<string>>}} answer */
export function paperOf(t, answer) {
  const { content } = answer;
  return h(
    "article",
    { class: "paper report-paper", "aria-label": content.title },
    h("h2", { class: "report-title", tabindex: "-1" }, content.title),
    h(
      "ul",
      { class: "report-times" },
      ...answer.times.map(([name, text]) => h("li", {}, `${name}：${text}`)),
    ),
    ...content.sections.map((section, place) => chapter(t, section, place + 1, answer)),
    appendix(t, content.runs),
  );
}

function chapter(t, section, number, answer) {
  const sources = sourcesOf(section);
  return h(
    "section",
    { class: "report-chapter", "data-chapter": section.key },
    h("h3", { tabindex: "-1" }, `${numeral(number)}、${section.title}`),
    ...inside(t, section, answer),
    sources.length > 0
      ? h(
          "p",
          { class: "report-sources" },
          t("report.sources"),
          ...sources.map((name) => h("a", { href: `#query-${name}`, onclick: (event) => show(event, name) }, name)),
        )
      : "",
  );
}

function inside(t, section, answer) {
  const quotes = answer.content.quotes.filter(({ place }) => place === section.key);
  return [
    section.figures.length > 0
      ? h("dl", { class: "report-tiles", "data-in-row": tilesInRow(section.figures.length) }, ...section.figures.map((figure) => tile(figure, answer.notes)))
      : "",
    ...section.paragraphs.map(({ text }) => h("p", { class: "report-prose" }, text)),
    ...section.charts.map((chart) =>
      h(
        "figure",
        { class: "report-figure" },
        h("figcaption", {}, chart.title),
        chartOf(answer.drawings[chart.key], chart.title),
      ),
    ),
    ...(quotes.length > 0 ? [h("h5", {}, t("report.quotes")), ...quotes.map((quote) => said(t, quote))] : []),
    ...section.tables.map((table) => tableOf(t, table)),
    ...section.parts.map((part, place) =>
      h("section", { class: "report-part" }, h("h4", {}, `${place + 1}. ${part.title}`), ...inside(t, part, answer)),
    ),
  ];
}

function tile(figure, notes) {
  const unit = unitOf(figure.value, figure.measure);
  return h(
    "div",
    { title: figure.runs.join("、") },
    h("dt", {}, figure.name),
    h("dd", { class: "report-value" }, shown(figure.value, figure.measure), h("small", {}, unit ? ` ${unit}` : "")),
    ...(notes[figure.key] ?? []).map((line) => h("dd", { class: "report-compared" }, line)),
  );
}

function said(t, quote) {
  const [day] = moment(quote.at, t).split(" ");
  return h(
    "blockquote",
    { class: "report-quote" },
    `“${quote.text}”`,
    h("footer", {}, `——${quote.district || t("report.nowhere")}，${day}`),
  );
}

function tableOf(t, table) {
  const head = table.columns.map((column) =>
    h(
      "th",
      { scope: "col", "data-number": String(column.measure !== null), title: column.runs.join("、") || null },
      column.name,
    ),
  );
  const rows = table.rows.map((row) =>
    h(
      "tr",
      { "data-whole": String(row[0] === "合计") },
      ...row.map((cell, place) =>
        h(
          place === 0 ? "th" : "td",
          { scope: place === 0 ? "row" : null, "data-number": String(table.columns[place].measure !== null) },
          cellText(cell, table.columns[place]),
        ),
      ),
    ),
  );
  return h(
    "div",
    { class: "report-table", tabindex: "0", role: "region", "aria-label": table.title },
    h("table", {}, h("caption", {}, table.title), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
    table.note ? h("p", { class: "report-note" }, table.note) : "",
  );
}

/** The queries, each once with all that it was asked for. */
function appendix(t, runs) {
  const byNumber = new Map();
  for (const run of runs) {
    const number = run.run_id.split(".")[0];
    byNumber.set(number, [...(byNumber.get(number) ?? []), run]);
  }
  return h(
    "details",
    { class: "report-queries" },
    h("summary", {}, h("h3", {}, t("report.queries"))),
    h("p", { class: "report-note" }, t("report.queries.how")),
    ...[...byNumber].map(([number, asked]) =>
      h(
        "section",
        { id: `query-${number}`, tabindex: "-1" },
        h("h4", {}, `${number}　${asked[0].title}`),
        h("pre", { tabindex: "0" }, asked[0].sql),
        h("ul", {}, ...asked.map((run) => h("li", {}, `${run.run_id}：${parametersOf(run)}；${t("report.rows", { count: run.n_rows })}`))),
      ),
    ),
  );
}

function parametersOf({ parameters }) {
  const told = Object.entries(parameters).filter(([, value]) => value !== "");
  return told.map(([name, value]) => `${name} = ${typeof value === "string" ? `'${value}'` : value}`).join("，") || "—";
}

/** Open the appendix at a query. The address names the report and stays. */
function show(event, name) {
  event.preventDefault();
  const query = document.getElementById(`query-${name}`);
  query.closest("details").open = true;
  query.scrollIntoView({ block: "start" });
  query.focus({ preventScroll: true });
}
