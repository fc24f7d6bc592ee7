// The admin's own terms: searched, added, changed, taken out, exchanged by a file.
//
// In: the server's list and its mark. Out: a list, a form, changes that bring the mark along.
// Not known here: how words are recognised.

import { ApiError } from "../api.js";
import { h, saveFile } from "../dom.js";
import { button, emptiness, many, reasonOf, sorry, whileWorking } from "../parts.js";
import { mountChoice, mountPager, mountSearch } from "./controls.js";
import { NEW } from "./fields.js";
import { deleteTerm, fetchTermFile, putTerms, readTerms } from "./server.js";
import { mountTable } from "./table.js";
import { mountTermForm } from "./termform.js";
import { mountTermUpload } from "./termupload.js";
import { foundTerms, kindsOf, weightText } from "./terms.js";

const PAGE = 100;

/** @param {{news, kept: object, refused: (error) => void, onChanged: () => void}} page */
export function mountOwnTerms(t, page) {
  const { news, kept } = page;
  kept.filters ??= { q: "", kind: "" };
  kept.offset ??= 0;
  const table = mountTable(t, {
    label: t("terms.own"),
    key: ({ term }) => term,
    onOpen: (term) => form.open(term.term),
    columns: [
      {
        name: "term",
        label: t("term.term"),
        cell: ({ term }) => ({
          text: term,
          sub: form.differs(term) ? t("form.unsaved") : "",
          subMark: "look",
        }),
      },
      { name: "kind", label: t("term.kind"), cell: ({ kind }) => kind },
      { name: "weight", label: t("term.weight"), cell: ({ weight }) => weightText(weight, t) },
      {
        name: "heard",
        label: t("term.heard"),
        cell: ({ heard }) => ({ text: heard.join(t("sys.comma")) || "—", title: heard.join(t("sys.comma")) }),
      },
    ],
  });
  const form = mountTermForm(t, {
    kept,
    terms: () => kept.terms ?? [],
    onOpened: () => kept.terms && draw(),
    onSave: save,
    onDelete: remove,
  });
  const upload = mountTermUpload(t, {
    news,
    terms: () => kept.terms ?? [],
    tag: () => kept.tag,
    onChanged: take,
    onOvertaken: refresh,
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
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), draw()) });
  const down = button(t("terms.download"), (event) => whileWorking(event.currentTarget, download, failed));
  const add = button(t("terms.add"), () => form.open(NEW), {
    class: "primary",
    title: `${t("terms.add")} (N)`,
  });
  const tools = h("div", { class: "sys-tools" }, search.element, kind.element, add);
  const foot = h(
    "div",
    { class: "sys-foot" },
    down,
    upload.button,
    h("span", { class: "sys-hint" }, t("terms.file.how")),
    pager.element,
  );

  function filter(changes) {
    Object.assign(kept.filters, changes);
    kept.offset = 0;
    draw();
  }

  function draw() {
    const kinds = kindsOf(kept.terms).map((one) => ({ value: one.kind, text: `${one.kind} (${one.count})` }));
    kind.offer([{ value: "", text: t("terms.anyKind") }, ...kinds], kept.filters.kind);
    const found = foundTerms(kept.terms, kept.filters);
    kept.offset = Math.max(0, Math.min(kept.offset, Math.floor((found.length - 1) / PAGE) * PAGE));
    pager.update(kept.offset, found.length);
    if (found.length > 0) table.show(found.slice(kept.offset, kept.offset + PAGE), kept.chosen);
    else if (kept.terms.length > 0) table.say(emptiness(t("terms.notFound"), t("terms.notFound.how")));
    else table.say(emptiness(t("terms.none"), t("terms.none.how")));
  }

  /** The list as the server now has it. */
  function take({ body, tag }) {
    Object.assign(kept, { terms: body.terms, tag });
    draw();
    page.onChanged();
  }

  async function refresh() {
    if (kept.terms) draw();
    else table.wait();
    try {
      const { body, tag } = await readTerms();
      Object.assign(kept, { terms: body.terms, tag });
      draw();
      form.refresh();
    } catch (error) {
      page.refused(error);
      pager.update(0, 0);
      table.say(sorry(error, t, refresh));
    }
  }

  /** Put a term into the list; one that was called otherwise before goes out. */
  async function save(term, before) {
    const was = find(before ?? term.term);
    await exchange(term, before);
    const undo = was ? () => exchange(was, term.term) : () => takeOut(term.term);
    news.tell(
      t(was ? "term.did.change" : "term.did.add", { term: term.term, count: many(kept.terms.length, t) }),
      {
        undo: () => undo().then(form.refresh).catch(failed),
      },
    );
  }

  async function remove(name) {
    const was = find(name);
    await takeOut(name);
    news.tell(t("term.did.delete", { term: name }), {
      undo: () => exchange(was, null).then(form.refresh).catch(failed),
    });
  }

  const find = (name) => kept.terms.find(({ term }) => term === name) ?? null;

  const exchange = (term, before) =>
    changing(before ?? term.term, async () => {
      take(await putTerms([term], kept.tag));
      if (before !== null && before !== term.term) take(await deleteTerm(before, kept.tag));
    });

  async function takeOut(name) {
    await changing(name, async () => take(await deleteTerm(name, kept.tag)));
    form.forget(name);
  }

  /** A change of one term. Where somebody else has changed the list meanwhile, but not this term, it is simply made
   * to the newest list; where they changed this term, that is shown, and what is typed stays. */
  async function changing(name, work) {
    const was = JSON.stringify(find(name));
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) throw error;
      await refresh();
      if (JSON.stringify(find(name)) !== was) throw error;
      await work();
    }
  }

  async function download() {
    saveFile(await fetchTermFile(), "lexicon.csv");
    news.tell(t("terms.downloaded"));
  }

  function failed(error) {
    news.tell(reasonOf(error, t), { level: "bad" });
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "pageBack" || name === "pageOn") return pager.turn(name === "pageOn" ? 1 : -1);
    if (name === "search") return (search.focus(), true);
    if (name === "new") return (form.open(NEW), true);
    if (name === "save") return form.save();
    if (name === "delete")
      return table.focused() ? (remove(table.focused().term).catch(failed), true) : false;
    if (name === "back") return search.back() || form.back();
    return false;
  }

  return {
    tools,
    notice: upload.element,
    list: table.element,
    foot,
    side: form.element,
    open: refresh,
    begin: form.begin,
    act,
    unsaved: form.unsaved,
  };
}
