// One order beside the list: read, acted on, talked about; what is typed outlives whatever others do meanwhile.
//
// In: an order's identifier, the server's answers. Out: a panel; changes to the server, and word of them.
// Not known here: the list.

import { ApiError } from "../api.js";
import { h, isLocked } from "../dom.js";
import { button, emptiness, reasonOf, skeleton, sorry } from "../parts.js";
import { NEW } from "../sys/fields.js";
import { alikeOf } from "./alike.js";
import { blankTexts, contentOf, differing, textsOf, together } from "./content.js";
import { mountDeedForm } from "./deedform.js";
import { bodyOf, deedOfKey, DEEDS, deedsOf, usualOf } from "./deeds.js";
import { mountEditForm } from "./editform.js";
import { mountErase } from "./erase.js";
import { factsOf, headOf } from "./facts.js";
import { mountFiles } from "./files.js";
import { mountPast } from "./past.js";
import * as server from "./server.js";

const NOTHING = { history: [], comments: [], attachments: [] };

/** @param {{news, part: string, mayErase: boolean, kept: object, units: () => object, refused: (error) => void,
 *   onOpen: (id: string|null) => void, onChanged: (order) => void}} page `kept.drafts` holds what is typed, by order */
export function mountPanel(t, page) {
  const { kept, news } = page;
  kept.drafts ??= Object.create(null);
  const element = h("aside", { class: "sys-side ord-side", "aria-label": t("order.panel"), tabindex: "-1" });
  const head = h("div");
  const bar = h("div", { class: "ord-bar" });
  const notice = h("p", { class: "sys-look", role: "status", hidden: true });
  const place = h("div");
  const facts = h("div");
  const alike = h("div");
  const files = mountFiles(t, { news, onChanged: () => readPast() });
  const past = mountPast(t, { units: page.units, onSend: say });
  const erase = mountErase(t, { isAllowed: page.mayErase, onErase: eraseOrder });
  let order = null;
  let happened = NOTHING;
  let form = null;
  let sending = 0;
  let asking = new AbortController();

  const draft = (id = order.order_id) => (kept.drafts[id] ??= {});

  /** Look at another order, or with `NEW` begin one, or with null look at none. */
  async function open(id) {
    asking.abort();
    asking = new AbortController();
    [order, form, happened] = [null, null, NOTHING];
    if (id === null) return element.replaceChildren(emptiness(t("order.rest"), t("order.rest.how")));
    if (id === NEW) return beginNew();
    element.replaceChildren(skeleton(8));
    try {
      order = await server.readOrder(id, asking.signal);
      element.replaceChildren(head, bar, notice, place, facts, alike, files.element, past.element, erase.element);
      element.scrollTop = 0;
      notice.hidden = true;
      alike.replaceChildren();
      draw();
      reopenForm();
      await Promise.all([readPast(), readAlike()]);
    } catch (error) {
      if (error.name === "AbortError") return;
      missed(error, () => open(id));
    }
  }

  function missed(error, again) {
    if (!(error instanceof ApiError)) throw error;
    page.refused(error);
    order = null;
    if (error.status === 404) element.replaceChildren(emptiness(t("order.gone"), t("order.gone.how")));
    else element.replaceChildren(sorry(error, t, again));
  }

  function draw() {
    const usual = usualOf(order);
    const others = deedsOf(order).filter((name) => name !== usual);
    head.replaceChildren(headOf(order, t));
    bar.replaceChildren(
      usual ? deedButton(usual, "primary") : "",
      ...others.map((name) => deedButton(name, null)),
      order.deeds.length === 0 ? h("span", { class: "sys-hint" }, t("order.nothing")) : "",
      h(
        "span",
        { class: "ord-far" },
        order.is_editable ? button(t("order.edit"), edit, { title: `${t("order.edit")} (E)` }) : "",
        h("a", { class: "ord-print", href: printAddress(), title: `${t("order.print")} (P)` }, t("order.print")),
      ),
    );
    facts.replaceChildren(factsOf(order, t, { units: page.units(), onOpen: page.onOpen }));
    showPast();
  }

  function showPast() {
    files.show(order, happened.attachments);
    past.show(happened, draft());
    erase.show(order, happened.history);
  }

  const printAddress = () => `orders?print=${encodeURIComponent(order.order_id)}`;

  function deedButton(name, level) {
    return button(t(`deed.${name}`), () => begin(name), {
      class: level,
      title: `${t(`deed.${name}`)} (${DEEDS[name].key})`,
    });
  }

  async function readPast() {
    const { order_id: id } = order;
    const { signal } = asking;
    try {
      const read = await server.readPast(id, signal);
      if (order?.order_id !== id) return;
      happened = read;
      showPast();
    } catch (error) {
      if (error.name === "AbortError") return;
      missed(error, () => open(id));
    }
  }

  async function readAlike() {
    const { order_id: id } = order;
    try {
      const found = await server.readAlike(id, asking.signal);
      if (order?.order_id !== id) return;
      const onMerge = (other) => {
        if (begin("merge")) form.set("into", other.order_id);
      };
      const how = { order, found, units: page.units(), onOpen: page.onOpen };
      alike.replaceChildren(alikeOf(t, { ...how, onMerge: order.deeds.includes("merge") ? onMerge : null }));
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof ApiError)) throw error; // a help, and no more
    }
  }

  // ---- deeds ----------------------------------------------------------------------------------------------------

  /** Begin a deed: at once where it takes nothing, else in a form. */
  function begin(name) {
    if (!order?.deeds.includes(name)) return false;
    notice.hidden = true;
    draft().typed ??= {};
    const typed = (draft().typed[name] ??= blankDeed(name));
    if (DEEDS[name].takes.length === 0) {
      send(name, typed);
      return true;
    }
    draft().deed = name;
    form = mountDeedForm(t, { deed: name, typed, units: page.units(), onSend: () => send(name, typed), onCancel: giveUp });
    place.replaceChildren(form.element);
    form.focus();
    form.element.scrollIntoView({ block: "nearest" });
    if (name === "dispatch") suggest(form);
    return true;
  }

  function blankDeed(name) {
    return name === "dispatch" ? { department_id: order.content.department_id ?? "" } : {};
  }

  async function suggest(to) {
    to.suggest(null);
    try {
      to.suggest(await server.readSuggestions(order.order_id, asking.signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      to.suggest([]);
    }
  }

  async function send(name, typed) {
    const before = order;
    const mine = form;
    if (mine && isLocked(mine.element.querySelector("[type=submit]") ?? bar)) return;
    mine?.lock(true);
    sending += 1;
    try {
      const after = await server.doDeed(before, bodyOf(name, typed));
      delete draft(before.order_id).typed[name];
      delete draft(before.order_id).deed;
      const unit = page.units().nameOf(after.content.department_id);
      news.tell(t(`did.${name}`, { unit, into: after.merged_into ?? "" }));
      if (order === before) became(after);
      page.onChanged(after);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      page.refused(error);
      if (error.status === 412) await changedMeanwhile(error.detail.current, name);
      else if (mine) mine.say(reasonOf(error, t));
      else news.tell(reasonOf(error, t), { level: "bad" });
    } finally {
      sending -= 1;
      mine?.lock(false);
    }
  }

  /** It is another order now, by one's own deed. */
  function became(after) {
    order = after;
    form = null;
    place.replaceChildren();
    notice.hidden = true;
    draw();
    element.focus({ preventScroll: true });
    readPast();
  }

  function giveUp() {
    delete draft().deed;
    delete draft().edit;
    form = null;
    place.replaceChildren();
    if (order) element.focus({ preventScroll: true });
    return true;
  }

  function reopenForm() {
    const { deed, edit: isEditing } = draft();
    place.replaceChildren();
    if (isEditing && order.is_editable) edit();
    else if (deed && order.deeds.includes(deed)) begin(deed);
  }

  // ---- what others do -------------------------------------------------------------------------------------------

  /** Somebody was faster: show what they did; what is typed stays. */
  async function changedMeanwhile(current, deed) {
    const seen = order.version;
    order = current;
    draw();
    page.onChanged(current);
    await readPast();
    const news_ = happened.history.filter(({ version }) => version > seen);
    const who = news_.at(-1)?.author ?? "";
    const isPossible = deed === null || current.deeds.includes(deed);
    const what = news_.map(({ action }) => t(t.knows(`deed.${action}`) ? `deed.${action}` : `did.${action}`, { note: "" }));
    const values = { who, what: what.join(t("ord.comma")), deed: deed ? t(`deed.${deed}`) : "" };
    notice.textContent = t(isPossible ? "conflict.step" : "conflict.closed", values);
    notice.hidden = false;
    if (!isPossible) form?.close();
    notice.scrollIntoView({ block: "nearest" });
  }

  /** Look whether somebody has changed what is open; what is being sent brings its own answer. */
  async function look() {
    if (order === null || sending > 0) return;
    const { order_id: id, version } = order;
    try {
      const current = await server.readOrder(id, asking.signal);
      if (order?.order_id !== id || order.version !== version || sending > 0) return;
      if (current.version !== version) {
        if (draft().edit) return; // told when it is saved, field by field
        await changedMeanwhile(current, draft().deed ?? null);
      } else readPast();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) missed(error);
    }
  }

  // ---- writing --------------------------------------------------------------------------------------------------

  function edit() {
    if (!order?.is_editable) return false;
    const own = draft();
    own.edit ??= { base: textsOf(order.content), texts: textsOf(order.content), version: order.version };
    const how = { title: t("edit.title"), send: t("edit.save"), texts: own.edit.texts, units: page.units() };
    form = mountEditForm(t, { ...how, onSave: () => save(own.edit), onCancel: giveUp });
    place.replaceChildren(form.element);
    form.focus();
    return true;
  }

  async function save(writing) {
    const mine = form;
    mine.lock(true);
    sending += 1;
    try {
      const seen = { order_id: order.order_id, version: writing.version };
      const after = await server.writeOrder(seen, contentOf(writing.texts));
      delete draft().edit;
      news.tell(t("edit.saved"));
      became(after);
      page.onChanged(after);
      readAlike();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      page.refused(error);
      if (error.status === 412) await writtenMeanwhile(error.detail.current, writing, mine);
      else mine.say(reasonOf(error, t));
    } finally {
      sending -= 1;
      mine.lock(false);
    }
  }

  /** Two wrote at once: theirs is taken in where one's own hand was not, and told where it was. */
  async function writtenMeanwhile(current, writing, mine) {
    const theirs = textsOf(current.content);
    const { texts, clashes, taken } = together(writing.base, theirs, writing.texts);
    mine.fill(Object.fromEntries(taken.map((name) => [name, texts[name]])));
    Object.assign(writing, { base: theirs, version: current.version });
    order = current;
    draw();
    page.onChanged(current);
    await readPast();
    mine.tellClashes(happened.history.at(-1)?.author ?? "", clashes);
  }

  function beginNew() {
    const own = draft(NEW);
    own.edit ??= { base: blankTexts(), texts: blankTexts() };
    const how = { title: t("edit.new"), send: t("edit.make"), texts: own.edit.texts, units: page.units() };
    form = mountEditForm(t, { ...how, onSave: () => make(own.edit.texts), onCancel: () => page.onOpen(null) });
    element.replaceChildren(form.element);
    form.focus();
  }

  async function make(texts) {
    const mine = form;
    mine.lock(true);
    try {
      const made = await server.makeOrder(contentOf(texts));
      delete kept.drafts[NEW];
      const accepted = await server.doDeed(made, { deed: "accept" });
      news.tell(t("edit.made", { id: accepted.order_id }));
      page.onChanged(accepted);
      page.onOpen(accepted.order_id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      page.refused(error);
      mine.say(reasonOf(error, t));
    } finally {
      mine.lock(false);
    }
  }

  async function say(text) {
    try {
      await server.comment(order.order_id, text);
      news.tell(t("past.said"));
      await readPast();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      news.tell(reasonOf(error, t), { level: "bad" });
      return false;
    }
  }

  async function eraseOrder(reason) {
    const { order_id: id } = order;
    const after = await server.eraseOrder(id, reason);
    delete kept.drafts[id];
    news.tell(t("did.erased"));
    page.onChanged(after);
    if (order?.order_id === id) became(after);
  }

  function act(name) {
    if (name === "save") return past.hasFocus() ? (past.submit(), true) : form ? (form.submit(), true) : false;
    if (order === null) return false;
    if (name === "back") return form ? giveUp() : erase.close();
    if (name.startsWith("deed")) {
      const deed = deedOfKey(order, name.slice(4));
      return deed !== null && begin(deed);
    }
    if (name === "edit") return edit();
    if (name === "comment") return (past.focus(), true);
    if (name === "attach") return files.add();
    if (name === "print") return (location.assign(printAddress()), true);
    return false;
  }

  /** Whether something is typed that was not sent. */
  function unsaved() {
    return Object.values(kept.drafts).some(
      ({ comment, typed = {}, edit: writing }) =>
        Boolean(comment?.trim()) ||
        ["answer", "note"].some((name) => Object.values(typed).some((one) => one[name]?.trim())) ||
        (writing !== undefined && differing(writing.base, writing.texts).length > 0),
    );
  }

  return {
    element,
    open,
    look,
    act,
    unsaved,
    focus: () => element.focus({ preventScroll: true }),
    close: () => asking.abort(),
  };
}
