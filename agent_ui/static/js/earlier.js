// Earlier calls of the number that calls now: a quiet list, and one of them to read beside the running call.
//
// In: the shown call. Out: a list in the left column, and a reading panel for the right one.
// The running call's own columns stay as they are. Not known here: sockets.

import { ApiError, getJson } from "./api.js";
import { h, setText } from "./dom.js";
import { clockTime, day, duration, today } from "./format.js";

const LISTED = 5;

/** @param {{onRead: () => void, onBack: () => void}} actions */
export function mountEarlier(t, actions) {
  const title = h("h2", {}, t("earlier.title"));
  const list = h("ol", { class: "earlier-list" });
  const note = h("p", { class: "earlier-note" }, t("earlier.idle"));
  const element = h("section", { class: "earlier", "aria-label": t("earlier.title") }, title, list, note);
  const panel = mountReader(t, actions.onBack);
  let asked = null;
  let asking = new AbortController();

  function update(call) {
    const callId = call?.call_id ?? null;
    if (callId === asked) return;
    asked = callId;
    asking.abort();
    list.replaceChildren();
    setText(title, t("earlier.title"));
    if (call === null) setText(note, t("earlier.idle"));
    else if (!call.caller) setText(note, t("earlier.hidden"));
    else look(call);
  }

  async function look(call) {
    asking = new AbortController();
    const { signal } = asking;
    setText(note, t("earlier.loading"));
    try {
      // One more for the call itself, one to see whether there are still more.
      const { calls } = await getJson("v1/calls", { caller: call.caller, limit: LISTED + 2 }, signal);
      const begunMs = Date.parse(call.started_at);
      const others = calls.filter((one) => one.call_id !== call.call_id && Date.parse(one.started_at) <= begunMs);
      const shown = others.slice(0, LISTED);
      if (others.length > LISTED) setText(title, t("earlier.more", { count: LISTED }));
      else if (others.length > 0) setText(title, t("earlier.count", { count: others.length }));
      list.replaceChildren(...shown.map(row));
      setText(note, others.length === 0 ? t("earlier.none") : "");
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      setText(note, `${t("earlier.error", { code: error.code })} `);
      note.append(h("button", { type: "button", onclick: () => look(call) }, t("article.retry")));
    }
  }

  function row(call) {
    const begunMs = Date.parse(call.started_at);
    const when = day(today(begunMs), t.language);
    const seat = call.operator_id ? t("calls.seat", { id: call.operator_id }) : "";
    const facts = [when, duration(call.seconds, t.language), seat].filter(Boolean).join(" · ");
    const open = () => {
      panel.open(call, facts);
      actions.onRead();
    };
    const matter = call.matter ?? t("earlier.unsaid");
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: "earlier-call", title: `${matter}\n${facts}`, onclick: open },
        h("span", { class: "earlier-matter" }, matter),
        h("span", { class: "earlier-length" }, duration(call.seconds, t.language)),
        h("span", { class: "earlier-facts" }, [when, seat].filter(Boolean).join(" · ")),
      ),
    );
  }

  return { element, panel, update };
}

function mountReader(t, onBack) {
  const back = h("button", { type: "button", title: `${t("article.back")} (Esc)`, onclick: onBack }, `← ${t("article.back")}`);
  const title = h("h3", {}, t("earlier.read"));
  const facts = h("p", { class: "article-origin" });
  const lines = h("ol", { class: "earlier-lines-read" });
  const said = h("p", { class: "earlier-note", role: "status" });
  const body = h("div", { class: "earlier-body", tabindex: "-1" }, facts, said, lines);
  const element = h(
    "section",
    { class: "earlier-reader", hidden: true, "aria-label": t("earlier.read") },
    h("div", { class: "article-bar" }, back, title),
    body,
  );
  let asking = new AbortController();

  async function open(call, about) {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    setText(title, call.matter ?? t("earlier.read"));
    setText(facts, about);
    setText(said, t("article.loading"));
    lines.replaceChildren();
    body.scrollTop = 0;
    try {
      const { segments } = await getJson(`v1/calls/${encodeURIComponent(call.call_id)}/lines`, { limit: 500 }, signal);
      setText(said, segments.length === 0 ? t("earlier.lines.none") : "");
      const begunMs = Date.parse(call.started_at);
      lines.replaceChildren(...segments.map((segment) => readLine(segment, begunMs, t)));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      setText(said, `${t("earlier.error", { code: error.code })} `);
      said.append(h("button", { type: "button", onclick: () => open(call, about) }, t("article.retry")));
    }
  }

  return { element, open, focus: () => body.focus({ preventScroll: true }) };
}

function readLine(segment, begunMs, t) {
  const at = clockTime(begunMs + segment.start_s * 1000);
  return h(
    "li",
    { "data-party": segment.party },
    h("span", { class: "earlier-said" }, `${at} ${t(`party.${segment.party}`)}`),
    h("p", {}, segment.text),
  );
}
