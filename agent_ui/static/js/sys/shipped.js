// The terms that come with the product: places and words of the trade, to be looked up, not changed.
//
// In: the server's list, page by page. Out: a list; a term that somebody wants for their own list.

import { h } from "../dom.js";
import { button, emptiness, many, sorry } from "../parts.js";
import { mountChoice, mountPager, mountSearch } from "./controls.js";
import { readShipped } from "./server.js";
import { mountTable } from "./table.js";
import { weightText } from "./terms.js";

const PAGE = 100;

/** @param {{kept: object, refused: (error) => void, onTake: (term) => void}} page */
export function mountShipped(t, page) {
  const { kept } = page;
  kept.filters ??= { q: "", kind: "" };
  kept.offset ??= 0;
  kept.chosen ??= null;
  let asking = null;
  const table = mountTable(t, {
    label: t("terms.shipped"),
    key: ({ term, kind }) => `${kind} ${term}`,
    onOpen: (term) => {
      kept.chosen = term;
      draw();
    },
    columns: [
      { name: "term", label: t("term.term"), cell: ({ term }) => term },
      { name: "kind", label: t("term.kind"), cell: ({ kind }) => kind },
      { name: "weight", label: t("term.weight"), cell: ({ weight }) => weightText(weight, t) },
      { name: "heard", label: t("term.heard"), cell: ({ heard }) => heard.join(t("sys.comma")) || "—" },
    ],
  });
  const search = mountSearch({
    label: t("terms.search"),
    value: kept.filters.q,
    onSearch: (q) => filter({ q }),
  });
  const kind = mountChoice({
    label: t("terms.anyKind"),
    value: kept.filters.kind,
    options: [{ value: "", text: t("terms.anyKind") }],
    onChoose: (value) => filter({ kind: value }),
  });
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), read()) });
  const side = h("aside", { class: "sys-side", "aria-label": t("terms.shipped") });
  const tools = h("div", { class: "sys-tools" }, search.element, kind.element);
  const foot = h(
    "div",
    { class: "sys-foot" },
    h("span", { class: "sys-hint" }, t("shipped.how")),
    pager.element,
  );

  function filter(changes) {
    Object.assign(kept.filters, changes);
    kept.offset = 0;
    read();
  }

  async function read() {
    asking?.abort();
    asking = new AbortController();
    table.wait();
    const { q, kind: wanted } = kept.filters;
    try {
      kept.found = await readShipped(
        { q: q.trim() || null, kind: wanted || null, offset: kept.offset, limit: PAGE },
        asking.signal,
      );
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      pager.update(0, 0);
      table.say(sorry(error, t, read));
    }
  }

  function draw() {
    const { total, kinds, terms } = kept.found;
    const options = kinds.map((one) => ({ value: one.kind, text: `${one.kind} (${many(one.count, t)})` }));
    kind.offer([{ value: "", text: t("terms.anyKind") }, ...options], kept.filters.kind);
    pager.update(kept.offset, total);
    const chosen = kept.chosen && `${kept.chosen.kind} ${kept.chosen.term}`;
    if (terms.length > 0) table.show(terms, chosen);
    else table.say(emptiness(t("terms.notFound"), t("terms.notFound.how")));
    drawSide();
  }

  function drawSide() {
    const { chosen } = kept;
    if (chosen === null) {
      side.replaceChildren(
        h("h2", {}, t("shipped.what")),
        h("p", {}, t("shipped.what.1")),
        h("p", {}, t("shipped.what.2")),
      );
      return;
    }
    const line = (key, text) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, text));
    side.replaceChildren(
      h("h2", {}, chosen.term),
      h(
        "dl",
        { class: "sys-facts" },
        line("term.kind", chosen.kind),
        line("term.weight", weightText(chosen.weight, t)),
        line("term.heard", chosen.heard.join(t("sys.comma")) || "—"),
      ),
      h("p", { class: "sys-hint" }, t("shipped.take.how")),
      h(
        "div",
        { class: "sys-row" },
        button(t("shipped.take"), () => page.onTake(chosen), { class: "primary" }),
        button(t("form.close"), () => back(), { title: "Esc" }),
      ),
    );
  }

  function back() {
    if (kept.chosen === null) return false;
    kept.chosen = null;
    draw();
    return true;
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "pageBack" || name === "pageOn") return pager.turn(name === "pageOn" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "back") return search.back() || back();
    return false;
  }

  drawSide();
  const open = () => (kept.found ? draw() : read());
  return { tools, notice: "", list: table.element, foot, side, open, act };
}
