// Bringing files in and taking them out: choose, look, match columns, apply; nothing is kept before "apply".
//
// In: a file from this machine. Out: what it holds, what importing it would do, and what it did.
// Not known here: how files are read.

import { ApiError } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { button, emptiness, many, reasonOf, skeleton } from "../parts.js";
import { downloadExport } from "./exporting.js";
import { importFile } from "./server.js";
import { FIELDS } from "./fields.js";

const MOST_BYTES = 64 * 1024 * 1024;
const ACCEPTED = ".jsonl,.csv,.tsv,.xlsx,.md,.html,.docx,.pdf,.txt";
const KINDS = ["xlsx", "csv", "jsonl", "md"];
const FIELD_NAMES = ["article_id", ...FIELDS.map(({ name }) => name)];

/** @param {{news, onImported: () => void}} page */
export function mountImporting(t, page) {
  let file = null;
  let mapping = {};
  let asking = new AbortController();
  const input = h("input", { type: "file", accept: ACCEPTED, hidden: true });
  const choose = button(t("import.choose"), () => input.click(), { class: "primary kb-big" });
  const drop = h(
    "div",
    { class: "kb-drop" },
    choose,
    input,
    h("p", {}, t("import.drop")),
    h("p", { class: "kb-hint" }, t("import.kinds")),
  );
  const result = h("div", { class: "kb-import-result", "aria-live": "polite" });
  const skip = h("input", { type: "checkbox" });
  const draft = h("input", { type: "checkbox" });
  const steps = ["choose", "look", "apply"].map((key, place) =>
    h("li", {}, `${place + 1} ${t(`import.step.${key}`)}`),
  );
  const exports = KINDS.map((kind) =>
    button(t(`export.${kind}`), (event) => downloadExport(kind, event.currentTarget, t, page.news)),
  );
  const element = h(
    "div",
    { class: "kb-view kb-import" },
    h(
      "section",
      { class: "kb-box", "aria-label": t("import.title") },
      h(
        "div",
        { class: "kb-box-head" },
        h("h2", {}, t("import.title")),
        h("ol", { class: "kb-import-steps" }, ...steps),
      ),
      drop,
      result,
    ),
    h(
      "section",
      { class: "kb-box kb-export", "aria-label": t("export.title") },
      h("div", { class: "kb-box-head" }, h("h2", {}, t("export.title"))),
      h("p", { class: "kb-hint" }, t("export.how")),
      h("div", { class: "kb-row" }, ...exports),
    ),
  );

  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    element.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      setAttribute(drop, "data-over", "true");
    });
  }
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) setAttribute(drop, "data-over", null);
  });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    setAttribute(drop, "data-over", null);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });

  function take(next) {
    file = next;
    mapping = {};
    look();
  }

  function at(step) {
    steps.forEach((one, place) => setAttribute(one, "aria-current", place === step ? "step" : null));
  }

  async function look() {
    at(1);
    if (file.size > MOST_BYTES) {
      const error = new ApiError(413, "kb.file_too_large", { message: t("import.tooLarge") });
      return result.replaceChildren(refusal(error));
    }
    const found = await ask(false);
    if (found) result.replaceChildren(...preview(found));
  }

  async function ask(apply) {
    asking.abort();
    asking = new AbortController();
    const cancel = button(t("import.cancel"), () => {
      asking.abort();
      reset();
    });
    const said = t(apply ? "import.applying" : "import.reading", {
      name: file.name,
      size: sizeOf(file.size, t),
    });
    result.replaceChildren(
      h(
        "div",
        { class: "kb-row" },
        h("progress", { "aria-label": said }),
        h("span", {}, said),
        apply ? "" : cancel,
      ),
      skeleton(4),
    );
    const options = {
      apply: String(apply),
      mapping: Object.keys(mapping).length > 0 ? JSON.stringify(mapping) : null,
      skip_existing: String(skip.checked),
      draft: String(draft.checked),
    };
    try {
      return await importFile(file, options, asking.signal);
    } catch (error) {
      if (error.name === "AbortError") return null;
      result.replaceChildren(refusal(error));
      return null;
    }
  }

  function refusal(error) {
    const text = reasonOf(error, t);
    const columns = error.detail.columns ?? [];
    const key = `import.help.${error.code}`;
    return h(
      "div",
      {},
      h(
        "div",
        { class: "sorry", role: "alert" },
        h("b", {}, file.name),
        h("p", {}, text),
        t.knows(key) ? h("p", {}, t(key)) : "",
      ),
      columns.length > 0
        ? mapTable(columns.map((column) => ({ column, field: mapping[column] ?? null })))
        : "",
      h("div", { class: "kb-row" }, button(t("article.retry"), look), button(t("import.other"), reset)),
    );
  }

  function preview(found) {
    const counts = {
      new: many(found.new, t),
      changed: many(found.changed, t),
      unchanged: many(found.unchanged, t),
      errors: many(found.error_count, t),
    };
    const usable = found.new + found.changed;
    const apply = button(t("import.apply", { count: many(usable, t) }), keep, { class: "primary kb-big" });
    apply.disabled = usable === 0;
    return [
      h("p", { class: "kb-summary", role: "status" }, h("b", {}, file.name), " ", t("import.found", counts)),
      found.error_count > 0 ? h("p", { class: "kb-look" }, t("import.partly", counts)) : "",
      h(
        "div",
        { class: "kb-row" },
        apply,
        h("label", { class: "kb-inline" }, skip, t("import.skip")),
        h("label", { class: "kb-inline" }, draft, t("import.draft")),
        button(t("import.other"), reset),
      ),
      found.columns.length > 0 ? mapTable(found.columns) : "",
      problems(found),
      repetitions(found),
      rowsOf(found),
    ];
  }

  function mapTable(columns) {
    const row = ({ column, field }) => {
      const select = h(
        "select",
        { "aria-label": t("import.fieldOf", { column }) },
        h("option", { value: "" }, t("import.leave")),
        ...FIELD_NAMES.map((name) => h("option", { value: name }, t(`field.${name}`))),
      );
      select.value = field ?? "";
      select.addEventListener("change", () => {
        mapping = { ...mapping, [column]: select.value };
        look();
      });
      return h(
        "li",
        {},
        h("span", { title: column }, column),
        h("span", { "aria-hidden": "true" }, "→"),
        select,
      );
    };
    return h(
      "details",
      { class: "kb-details", open: true },
      h("summary", {}, t("import.columns")),
      h("ol", { class: "kb-mapping" }, ...columns.map(row)),
    );
  }

  function problems({ errors, error_count: count }) {
    if (count === 0) return "";
    const row = ({ row: number, message }) => h("li", {}, h("b", {}, t("import.row", { number })), message);
    return listed("import.errors", count, errors.map(row), true);
  }

  function repetitions({ duplicates }) {
    if (duplicates.length === 0) return "";
    const row = (pair) =>
      h(
        "li",
        {},
        h("b", {}, pair.article_id),
        t(`shared.${pair.shared}`, { other: pair.other_id }),
        h("span", { class: "kb-hint" }, pair.text),
      );
    return listed("import.duplicates", duplicates.length, duplicates.map(row), false);
  }

  function rowsOf({ rows, new: fresh, changed, unchanged }) {
    const total = fresh + changed + unchanged;
    if (total === 0) return "";
    const row = (one) =>
      h(
        "li",
        { "data-effect": one.effect },
        h("b", {}, t("import.row", { number: one.row })),
        h("span", { class: "kb-effect" }, t(`effect.${one.effect}`)),
        one.title,
        h("small", { class: "kb-hint" }, one.article_id),
      );
    return listed("import.rows", total, rows.map(row), true);
  }

  function listed(key, count, items, isOpen) {
    const more = count - items.length;
    if (more > 0) items.push(h("li", { class: "kb-hint" }, t("publish.more", { count: many(more, t) })));
    return h(
      "details",
      { class: "kb-details", open: isOpen },
      h("summary", {}, t(key, { count: many(count, t) })),
      h("ol", { class: "kb-lines" }, ...items),
    );
  }

  async function keep() {
    at(2);
    const found = await ask(true);
    if (!found) return;
    page.onImported();
    const counts = {
      new: many(found.new, t),
      changed: many(found.changed, t),
      errors: many(found.error_count, t),
    };
    result.replaceChildren(
      h(
        "p",
        { class: "kb-summary", role: "status" },
        t(skip.checked ? "import.done.skipped" : "import.done", counts),
      ),
      h("div", { class: "kb-row" }, button(t("import.other"), reset, { class: "primary" })),
      problems(found),
    );
  }

  function reset() {
    file = null;
    mapping = {};
    at(0);
    result.replaceChildren(emptiness(t("import.empty"), t("import.empty.how")));
    choose.focus();
  }

  at(0);
  result.replaceChildren(emptiness(t("import.empty"), t("import.empty.how")));
  setText(choose, t("import.choose"));
  return { element, open: () => {}, close: () => {} };
}

function sizeOf(bytes, t) {
  const number = new Intl.NumberFormat(t.language === "en" ? "en-GB" : "zh-CN", { maximumFractionDigits: 1 });
  return bytes < 1_000_000 ? `${number.format(bytes / 1000)} KB` : `${number.format(bytes / 1_000_000)} MB`;
}
