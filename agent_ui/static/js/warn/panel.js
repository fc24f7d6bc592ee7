// One warning beside the list: read, acted on; what is typed outlives whatever others do meanwhile.
//
// In: a warning's identifier, the server's answers. Out: a panel; changes to the server, and word of them.
// Not known here: the list.

import { ApiError } from "../api.js";
import { h, setText } from "../dom.js";
import { button, emptiness, reasonOf, skeleton, sorry } from "../parts.js";
import { mountDeedForm } from "./deedform.js";
import { bodyOf, DEEDS, RATINGS } from "./deeds.js";
import { factsOf, headOf, hoursOf, pastOf, samplesOf } from "./detail.js";
import { readWarning, takeStep } from "./server.js";

/** @param {{news, kept: object, seesCalls: boolean, units: () => object, refused: (error) => void,
 *   onChanged: (warning) => void}} page `kept.drafts` holds what is typed, by warning and deed */
export function mountPanel(t, page) {
  const { kept, news } = page;
  kept.drafts ??= Object.create(null);
  const element = h("aside", { class: "sys-side ord-side", "aria-label": t("panel.title"), tabindex: "-1" });
  const [head, facts, chart, samples, past, place] = Array.from({ length: 6 }, () => h("div"));
  const bar = h("div", { class: "ord-bar", role: "group", "aria-label": t("panel.deeds") });
  const rating = h("div", { class: "ord-bar", role: "group", "aria-label": t("rated.title") });
  const notice = h("p", { class: "sys-look", role: "status", hidden: true });
  let detail = null;
  let form = null;
  let isSending = false;
  let asking = new AbortController();

  const typedOf = (deed) => ((kept.drafts[detail.warning.warning_id] ??= {})[deed] ??= {});

  async function open(id) {
    asking.abort();
    asking = new AbortController();
    [detail, form] = [null, null];
    if (id === null) return element.replaceChildren(emptiness(t("panel.rest"), t("panel.rest.how")));
    element.replaceChildren(skeleton(8));
    try {
      became(await readWarning(id, asking.signal), { isNew: true });
    } catch (error) {
      missed(error, () => open(id));
    }
  }

  function missed(error, again) {
    if (error.name === "AbortError") return;
    if (!(error instanceof ApiError)) throw error;
    page.refused(error);
    if (error.status === 404) element.replaceChildren(emptiness(t("panel.gone"), t("panel.gone.how")));
    else element.replaceChildren(sorry(error, t, again));
  }

  function became(next, { isNew = false } = {}) {
    detail = next;
    if (isNew) {
      place.replaceChildren();
      notice.hidden = true;
      element.replaceChildren(head, bar, rating, notice, place, chart, facts, samples, past);
      element.scrollTop = 0;
    }
    draw();
  }

  function draw() {
    const { warning } = detail;
    head.replaceChildren(headOf(detail, t));
    drawDeeds(warning);
    chart.replaceChildren(hoursOf(detail, t));
    facts.replaceChildren(factsOf(detail, t));
    samples.replaceChildren(samplesOf(detail, t, page.seesCalls));
    past.replaceChildren(pastOf(detail, t));
  }

  /** The same elements as long as the same deeds are possible, so that whoever is on one stays there. */
  function drawDeeds(warning) {
    const wanted = [...detail.deeds].join(" ");
    if (bar.dataset.deeds !== wanted || bar.dataset.of !== warning.warning_id) {
      bar.dataset.deeds = wanted;
      bar.dataset.of = warning.warning_id;
      const names = Object.keys(DEEDS).filter((name) => detail.deeds.includes(name));
      bar.replaceChildren(
        ...names.map((name, at) =>
          button(t(`deed.${name}`), () => begin(name), {
            class: at === 0 ? "primary" : null,
            title: `${t(`deed.${name}.tip`)} (${DEEDS[name].key})`,
          }),
        ),
        detail.deeds.includes("undo") ? h("span", { class: "ord-far" }, button(t("deed.undo"), undo, { title: `${t("deed.undo.tip")} (U)` })) : "",
        detail.deeds.length === 0 ? h("span", { class: "sys-hint" }, t("panel.nothing")) : "",
      );
      rating.replaceChildren(
        ...(detail.deeds.includes("rate")
          ? [h("span", { class: "ord-label" }, t("rated.title")), ...Object.entries(RATINGS).map(([key, value]) => rateButton(key, value))]
          : []),
      );
    }
    for (const one of rating.querySelectorAll("button")) {
      one.setAttribute("aria-pressed", String(one.dataset.value === String(warning.is_true)));
    }
  }

  function rateButton(key, value) {
    return button(t(`rated.${value}`), () => rate(value), { title: `${t(`rated.${value}.tip`)} (${key})`, "data-value": String(value) });
  }

  /** Begin a deed: at once where it takes nothing, else in a form. */
  function begin(deed) {
    if (!detail?.deeds.includes(deed)) return false;
    notice.hidden = true;
    if (!DEEDS[deed].takes) return (send(deed, { deed }), true);
    const typed = typedOf(deed);
    const { warning } = detail;
    form = mountDeedForm(t, {
      deed,
      warning,
      typed,
      units: page.units(),
      onSend: () => send(deed, bodyOf(deed, typed, new Date())),
      onCancel: giveUp,
    });
    place.replaceChildren(form.element);
    form.focus();
    form.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  function giveUp() {
    if (form === null) return false;
    form = null;
    place.replaceChildren();
    (bar.querySelector("button") ?? element).focus();
    return true;
  }

  /** Say whether it was right; the same again takes that back. */
  function rate(value) {
    if (!detail?.deeds.includes("rate")) return false;
    const isSame = detail.warning.is_true === value && detail.warning.layer !== "safety";
    send("rate", { deed: "rate", is_true: isSame ? null : value });
    return true;
  }

  function undo() {
    if (!detail?.deeds.includes("undo")) return false;
    send("undo", { deed: "undo" });
    return true;
  }

  async function send(deed, body) {
    if (isSending) return;
    const before = detail;
    const mine = form;
    isSending = true;
    mine?.lock(true);
    try {
      const after = await takeStep(before.warning, body);
      delete kept.drafts[before.warning.warning_id]?.[deed];
      if (detail === before) {
        if (mine !== null) giveUp();
        became(after);
      }
      const said = deed === "rate" ? t(after.warning.is_true === null ? "news.unrated" : "news.rated") : t(`news.${deed}`, { id: after.order?.order_id ?? "" });
      news.tell(said, deed === "undo" ? {} : { undo: () => takeBack(after.warning) });
      page.onChanged(after.warning);
    } catch (error) {
      failed(error, mine, before);
    } finally {
      isSending = false;
      mine?.lock(false);
    }
  }

  async function failed(error, mine, before) {
    if (!(error instanceof ApiError)) throw error;
    page.refused(error);
    if (error.status === 412) {
      await readAgain();
      if (detail?.warning.warning_id !== before.warning.warning_id) return;
      notice.hidden = false;
      const { changed_by: who, state } = detail.warning;
      setText(notice, t("panel.faster", { who: who || t("past.system"), state: t(`state.${state}`) }));
    } else if (mine !== null) mine.say(reasonOf(error, t));
    else news.tell(reasonOf(error, t), { level: "bad" });
  }

  /** Undo from the line of news, also when another warning is open by now. */
  async function takeBack(warning) {
    try {
      const after = await takeStep(warning, { deed: "undo" });
      if (detail?.warning.warning_id === warning.warning_id) became(after);
      news.tell(t("news.undo"));
      page.onChanged(after.warning);
    } catch (error) {
      failed(error, null, { warning });
    }
  }

  /** Look how it stands now; what is typed stays. */
  async function look() {
    if (detail !== null && !isSending) await readAgain();
  }

  async function readAgain() {
    const before = detail;
    if (before === null) return;
    try {
      const next = await readWarning(before.warning.warning_id, asking.signal);
      if (detail === before && !isSending) became(next); // what is being sent brings its own answer
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof ApiError)) throw error; // the next look may succeed
      if (error instanceof ApiError) page.refused(error);
    }
  }

  function act(name) {
    if (name === "send" && form !== null) return (form.submit(), true);
    if (name === "back") return giveUp();
    if (name === "undo") return undo();
    if (name.startsWith("deed:")) return begin(name.slice(5));
    if (name.startsWith("rate:")) return rate(RATINGS[name.slice(5)]);
    return false;
  }

  return {
    element,
    open,
    look,
    act,
    close: () => asking.abort(),
    focus: () => element.focus(),
    hasDraft: () => form !== null,
  };
}
