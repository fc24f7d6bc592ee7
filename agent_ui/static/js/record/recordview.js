// One call: its text beside its sound, what was shown and written down, and how it is kept.
//
// In: the identifier of a call, and a moment of it. Out: a view. Not known here: the list of calls.

import { h, searchField, setText } from "../dom.js";
import { button, moment, reasonOf, skeleton } from "../parts.js";
import { mountFormats } from "../rec/formats.js";
import { noPaper, reducePaper } from "../rec/paper.js";
import { mountPlayer } from "../rec/player.js";
import { mountTurns } from "../rec/turns.js";
import { mountTabs } from "../sys/controls.js";
import { mountDeeds } from "./deeds.js";
import { mountMask } from "./mask.js";
import { paperOf } from "./record.js";
import { deleteCall, fetchExport, holdCall, readRecord, releaseCall, soundAddress, unmaskRecord, whyNoSound } from "./server.js";
import { keepingOf, sideOf } from "./side.js";

/** @param {{news, refused: (error) => void, onBack: () => void, onGone: () => void}} page */
export function mountRecord(t, page) {
  const { news } = page;
  let state = noPaper();
  let record = null;
  let callId = null;
  let leg = "";
  let asking = new AbortController();
  const player = mountPlayer(t, { onTime: (seconds, now) => turns.follows(seconds, now) });
  const turns = mountTurns(t, { onHear: hear, reason: (error) => reasonOf(error, t) });
  const name = h("h2");
  const search = searchField({ "aria-label": t("paper.find"), placeholder: t("paper.find"), title: `${t("paper.find")} (/)` });
  const hits = h("span", { class: "rec-hits", role: "status" });
  const formats = mountFormats(t, {
    label: t("format.one"),
    news,
    fetch: (format) => fetchExport(callId, format),
    nameOf: (format) => `${callId}.${format}`,
  });
  const mask = mountMask(t, { onUnmask: unmask });
  const facts = h("div", { class: "call-facts" });
  const keeping = h("div", { class: "call-keeping" });
  const deeds = mountDeeds(t, { onDo: carryOut });
  const kept = h("section", { class: "call-part" }, h("h3", {}, t("side.keeping")), keeping, deeds.element);
  const side = h("aside", { class: "call-side", "aria-label": t("side.call"), tabindex: "0" }, facts, kept);
  const legs = h("span", { class: "call-legs" });
  const download = h("a", { class: "call-download", title: t("record.download.tip") }, t("record.download"));
  const silent = h("p", { class: "call-silent sys-hint" });
  const element = h(
    "section",
    { class: "rec-reading call-record", "aria-label": t("side.call") },
    h(
      "div",
      { class: "sys-head rec-reading-head" },
      button(`← ${t("record.back")}`, page.onBack, { title: "Esc" }),
      name,
      h("span", { class: "rec-search", role: "search" }, search, hits),
      formats.element,
    ),
    mask.element,
    h("div", { class: "call-both" }, turns.element, side),
    h("div", { class: "call-sound" }, player.element, legs, download, silent),
  );

  search.addEventListener("input", (event) => event.isComposing || find(search.value));
  search.addEventListener("compositionend", () => find(search.value));
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    happen({ type: "went", by: event.shiftKey ? -1 : 1 });
    turns.showHit();
  });

  function happen(event) {
    state = reducePaper(state, event);
    turns.update(state, () => read(null));
    formats.allow(state.paper !== null);
    setText(hits, hitsText());
  }

  function hitsText() {
    if (state.query.trim() === "") return "";
    return state.hits.length === 0 ? t("paper.noHits") : t("paper.hits", { at: state.at + 1, count: state.hits.length });
  }

  function find(query) {
    happen({ type: "typed", query });
    turns.showHit();
  }

  const hasSound = () => record?.sound?.code === null;

  function hear(fromS, toS) {
    if (hasSound()) player.hear(fromS, toS);
  }

  function show(next) {
    record = next;
    const { call } = next.snapshot;
    setText(name, [moment(call.started_at, t), call.caller ?? t("call.noCaller")].join(" · "));
    name.title = call.call_id;
    mask.show(next.is_masked);
    facts.replaceChildren(...sideOf(next, t));
    keeping.replaceChildren(...keepingOf(next, t));
    deeds.show(next);
    happen({ type: "came", paper: paperOf(next) });
  }

  function load(atS = 0) {
    const is = hasSound();
    for (const one of [player.element, legs, download]) one.hidden = !is;
    silent.hidden = is;
    setText(silent, record.sound === null ? t("record.noSound") : (record.sound.message ?? ""));
    if (!is) return;
    const mine = leg;
    download.href = soundAddress(callId, mine);
    download.download = `${callId}${mine === "" ? "" : `-${mine}`}.wav`;
    player.load(
      { address: () => soundAddress(callId, mine), why: () => whyNoSound(callId, mine), seconds: record.sound.seconds },
      atS,
    );
  }

  function offerLegs() {
    const names = record.sound?.legs.length > 1 ? ["", ...record.sound.legs] : [];
    legs.replaceChildren();
    if (names.length === 0) return;
    const tabs = mountTabs({
      names,
      label: t("record.leg"),
      text: (one) => t(`record.leg.${one === "" ? "both" : one}`),
      chosen: leg,
      onChoose: (one) => {
        leg = one;
        load(player.atS());
      },
    });
    legs.append(tabs.element);
    turnLeg = () => tabs.choose(names[(names.indexOf(leg) + 1) % names.length]);
  }
  let turnLeg = () => {};

  async function read(atS) {
    const mine = callId;
    const { signal } = (asking = new AbortController());
    try {
      const next = await readRecord(mine, signal);
      show(next);
      offerLegs();
      load(atS ?? 0);
      if (document.activeElement === document.body || element.contains(document.activeElement)) turns.focus();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      facts.replaceChildren();
      happen({ type: "failed", error });
    }
  }

  async function unmask(reason) {
    const mine = callId;
    const next = await unmaskRecord(mine, reason);
    if (mine !== callId) return;
    show(next);
    turns.focus();
  }

  async function carryOut(deed, reason, until) {
    const mine = callId;
    if (deed === "hold") await holdCall(mine, reason, until);
    else if (deed === "release") await releaseCall(mine, reason);
    else await deleteCall(mine, reason, deed === "delete" ? "call" : "audio");
    news.tell(t(`keep.done.${deed}`));
    if (mine !== callId) return;
    if (deed === "delete") return page.onGone();
    const next = await readRecord(mine);
    if (mine !== callId) return;
    show(next);
    if (deed === "deleteSound") load();
    deeds.element.querySelector("button")?.focus();
  }

  function open(id, atS) {
    asking.abort();
    callId = id;
    record = null;
    leg = "";
    state = noPaper();
    search.value = "";
    setText(name, "");
    mask.show(false);
    for (const one of [player.element, legs, download, silent]) one.hidden = true;
    facts.replaceChildren(skeleton(6));
    keeping.replaceChildren();
    deeds.element.hidden = true;
    turns.clear();
    happen({ type: "left" });
    read(atS);
  }

  /** Nothing that was shown for a reason stays behind in the page. */
  function close() {
    asking.abort();
    player.close();
    turns.clear();
    setText(name, "");
    facts.replaceChildren();
    keeping.replaceChildren();
    state = noPaper();
    happen({ type: "left" });
    callId = record = null;
  }

  function act(action, event) {
    const isByKeys = event.target.matches?.("button:focus-visible, select:focus-visible, a:focus-visible");
    const isHeard = hasSound();
    switch (action) {
      case "play":
        return isHeard && !isByKeys && (player.toggle(), true);
      case "left":
      case "right": {
        if (!isHeard) return false;
        const by = action === "left" ? -1 : 1;
        if (!event.shiftKey) return (player.skip(5 * by), true);
        const to = turns.step(player.atS(), by);
        if (to !== null) player.seek(to);
        return true;
      }
      case "slower":
      case "faster":
        return (player.faster(action === "slower" ? -1 : 1), true);
      case "leg":
        return isHeard && (turnLeg(), true);
      case "unmask":
        return mask.ask();
      case "up":
      case "down":
        return turns.move(action === "up" ? -1 : 1);
      case "find":
        return (search.focus(), search.select(), true);
      case "save":
        return formats.save();
      case "back":
        return back();
      default:
        return turns.act(action);
    }
  }

  function back() {
    if (mask.close() || deeds.close()) return true;
    if (document.activeElement === search || search.value !== "") {
      search.value = "";
      find("");
      turns.focus();
    } else page.onBack();
    return true;
  }

  return { element, open, close, act };
}
