// How the early warning fares: what it has learnt, what is muted, storms, mails.
//
// In: the server's word of it. Out: a line below the list, and a panel. Not known here: warnings.

import { ApiError } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { button, many, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { liftMute, readLookout, setStorms, testMail } from "./server.js";

/** The most important thing to know, in one line. @returns {{level: "ok"|"look"|"bad", text: string}} */
export function lineOf(found, t) {
  const { known } = found.layers;
  if (!found.is_ready) return { level: "look", text: t("look.starting") };
  if (found.mails.is_on && found.mails.failing > 0) {
    return { level: "bad", text: t("look.mail.failing", { n: found.mails.failing, why: found.mails.last_error }) };
  }
  if (known.is_learning) return { level: "look", text: t("look.learning", { days: known.days, needed: known.days_needed }) };
  return { level: "ok", text: t("look.ok", { time: moment(known.looked_at, t) }) };
}

/** @param {{news, seesSystem: boolean, refused: (error) => void, onOpen: () => void, onClose: () => void}} page */
export function mountLookout(t, page) {
  const line = h("button", { type: "button", class: "quiet warn-line", title: `${t("look.tip")} (L)`, onclick: () => page.onOpen() });
  const element = h("aside", { class: "sys-side ord-side", "aria-label": t("look.title"), tabindex: "-1", hidden: true });
  let found = null;
  let asking = new AbortController();

  async function look() {
    try {
      found = await readLookout(asking.signal);
      drawLine();
      // A field in which somebody types is left alone.
      if (!element.hidden && !element.contains(document.activeElement)) draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      page.refused(error);
      if (!element.hidden && found === null) element.replaceChildren(sorry(error, t, look));
    }
  }

  function drawLine() {
    const { level, text } = lineOf(found, t);
    setText(line, text);
    setAttribute(line, "data-level", level);
  }

  function open() {
    element.hidden = false;
    if (found === null) element.replaceChildren(skeleton(6));
    else draw();
    element.focus();
    look();
  }

  function close() {
    if (element.hidden) return false;
    element.hidden = true;
    return true;
  }

  function draw() {
    element.replaceChildren(
      h("header", { class: "ord-part-head" }, h("h2", {}, t("look.title")), button(t("help.close"), page.onClose, { title: "Esc" })),
      ...Object.entries(found.layers).map(([layer, standing]) => layerOf(layer, standing)),
      mutesOf(),
      stormsOf(),
      mailsOf(),
    );
  }

  const fact = (name, text) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, text));

  function layerOf(layer, standing) {
    return h(
      "section",
      { class: "sys-part" },
      h("h3", {}, t(`layer.${layer}`)),
      h(
        "dl",
        { class: "sys-facts" },
        fact("look.days", standing.is_learning ? t("look.days.more", { days: standing.days, needed: standing.days_needed }) : t("look.days.n", { days: many(standing.days, t) })),
        fact("look.at", moment(standing.looked_at, t) || "—"),
        layer === "unknown"
          ? fact("look.groups", many(standing.matters, t))
          : fact("look.lists", t("look.lists.n", { matters: standing.matters, districts: standing.districts })),
        standing.unlisted > 0 ? fact("look.unlisted", many(standing.unlisted, t)) : "",
      ),
    );
  }

  function mutesOf() {
    const rows = found.mutes.map((mute) =>
      h(
        "li",
        {},
        h("span", {}, h("strong", {}, `${mute.district ?? t("look.everywhere")} · ${mute.name}`), h("small", {}, t("look.until", { time: moment(mute.until, t), who: mute.author }))),
        button(t("look.lift"), (event) => change(event.currentTarget, () => liftMute(mute.mute_id), t("look.lifted"))),
      ),
    );
    const none = h("p", { class: "sys-hint" }, t("look.mutes.none"));
    return h("section", { class: "sys-part" }, h("h3", {}, t("look.mutes")), rows.length > 0 ? h("ol", { class: "warn-mutes" }, ...rows) : none);
  }

  function stormsOf() {
    const field = h("input", { type: "date", "aria-label": t("look.storms.day") });
    const add = button(t("look.storms.add"), () => {
      if (!field.value) return field.focus();
      change(add, () => setStorms([...new Set([...found.storm_days, field.value])]), t("look.saved"));
    });
    const days = found.storm_days.map((day) =>
      h(
        "li",
        {},
        h("span", {}, day),
        button(t("look.storms.remove"), (event) => change(event.currentTarget, () => setStorms(found.storm_days.filter((one) => one !== day)), t("look.saved"))),
      ),
    );
    return h(
      "section",
      { class: "sys-part" },
      h("h3", {}, t("look.storms")),
      h("p", { class: "sys-hint" }, t("look.storms.how")),
      h("div", { class: "sys-row" }, field, add),
      days.length > 0 ? h("ol", { class: "warn-mutes" }, ...days.reverse()) : "",
    );
  }

  function mailsOf() {
    const { mails } = found;
    const field = h("input", { type: "email", autocomplete: "off", maxlength: "254", placeholder: "name@example.gov.cn", "aria-label": t("look.mail.to") });
    const send = button(t("look.mail.test"), () => change(send, () => testMail(field.value.trim()), t("look.mail.tested")));
    return h(
      "section",
      { class: "sys-part" },
      h("h3", {}, t("look.mails")),
      mails.is_on
        ? h(
            "dl",
            { class: "sys-facts" },
            fact("look.mail.sent", many(mails.sent, t)),
            fact("look.mail.waiting", many(mails.waiting, t)),
            fact("look.mail.givenUp", many(mails.given_up, t)),
            mails.last_error ? fact("look.mail.error", mails.last_error) : "",
          )
        : h("p", { class: "sys-hint" }, t("look.mail.off")),
      mails.is_on && page.seesSystem ? h("div", { class: "sys-row" }, field, send) : "",
    );
  }

  function change(element_, work, said) {
    whileWorking(
      element_,
      async () => {
        await work();
        page.news.tell(said);
        element.focus();
        found = await readLookout(asking.signal);
        drawLine();
        draw();
      },
      (error) => page.news.tell(reasonOf(error, t), { level: "bad" }),
    );
  }

  return { line, element, open, close, look, stop: () => asking.abort(), isOpen: () => !element.hidden };
}

