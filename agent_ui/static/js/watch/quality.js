// The view of quality: scored calls, drawn samples, and the pane in which a score is reviewed, or appealed against.
//
// In: scores of the server. Out: a list with a pane. Not known here: how a call is scored.

import { h, setAttribute, setText } from "../dom.js";
import { duration, today } from "../format.js";
import { button, emptiness, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { mountPager } from "../sys/controls.js";
import { mountTable } from "../sys/table.js";
import { scoreDetail } from "./scores.js";
import { readSample, readScore, readScores, sayOfScore } from "./server.js";

const PAGE = 50;
const EACH = 3;
const LOW = 80;
const LISTS = { quality: ["sample", "appealed", "low", "all"], mine: ["all", "appealed"] };

export const mountQuality = (t, page) => mountScores(t, page, "quality");
export const mountMine = (t, page) => mountScores(t, page, "mine");

/** @param {"quality"|"mine"} whose reviewers see everybody, operators themselves
 * @param {{news, session, kept: object, refused: (error) => void}} page */
function mountScores(t, page, whose) {
  const { news, kept, session } = page;
  const lists = LISTS[whose];
  kept.list ??= lists[0];
  kept.day ??= today(Date.now());
  kept.offset ??= 0;
  let asking = null;
  const tabs = lists.map((name) =>
    h("button", { type: "button", "aria-pressed": "false", onclick: () => choose(name) }, t(`scores.${name}`)),
  );
  const day = h("input", { type: "date", "aria-label": t("scores.day"), value: kept.day });
  day.addEventListener("change", () => {
    kept.day = day.value || today(Date.now());
    read();
  });
  const table = mountTable(t, {
    label: t(`view.${whose}`),
    key: (call) => call.call_id,
    columns: [
      { name: "at", label: t("scores.at"), cell: ({ started_at: at }) => moment(at, t) },
      { name: "seat", label: t("live.seat"), cell: ({ operator_id: seat }) => seat ?? "—" },
      { name: "seconds", label: t("live.time"), cell: ({ seconds }) => duration(seconds, t.language) },
      { name: "score", label: t("scores.score"), cell: (call) => ({ text: String(call.score), mark: call.score < LOW ? "look" : null }) },
      { name: "lost", label: t("scores.lost"), cell: (call) => lost(call) },
      { name: "state", label: t("live.state"), cell: ({ state }) => ({ text: t(`quality.${state}`), mark: state === "appealed" ? "look" : null }) },
    ],
    onOpen: (call) => open(call.call_id),
  });
  const pager = mountPager(t, { size: PAGE, onTurn: (offset) => ((kept.offset = offset), read()) });
  const pane = h("aside", { class: "watch-pane", "aria-label": t("scores.pane") });
  const element = h(
    "div",
    { class: "sys-view sys-pair watch-quality" },
    h(
      "div",
      { class: "sys-main" },
      h("div", { class: "sys-head" }, h("div", { class: "list-tabs", role: "group", "aria-label": t(`view.${whose}`) }, ...tabs), day),
      table.element,
      h("div", { class: "sys-foot" }, h("span", { class: "sys-hint" }, t(`scores.hint.${whose}`)), pager.element),
    ),
    pane,
  );

  /** What cost points, in a word each. */
  function lost({ findings }) {
    const names = findings.filter(({ share }) => share < 1).map(({ check }) => t(`check.${check}`));
    const text = names.length > 0 ? names.join(t.language === "en" ? ", " : "、") : t("scores.nothingLost");
    return { text, title: text };
  }

  function choose(name) {
    kept.list = name;
    kept.offset = 0;
    kept.found = null;
    read();
  }

  function ask(signal) {
    const seat = whose === "mine" ? { operator_id: session.operator_id } : {};
    const page = { limit: PAGE, offset: kept.offset, ...seat };
    if (kept.list === "sample") return readSample(kept.day, EACH, signal);
    if (kept.list === "appealed") return readScores({ ...page, state: "appealed" }, signal);
    if (kept.list === "low") return readScores({ ...page, below: LOW }, signal);
    return readScores(page, signal);
  }

  async function read() {
    asking?.abort();
    asking = new AbortController();
    tabs.forEach((tab, place) => setAttribute(tab, "aria-pressed", String(lists[place] === kept.list)));
    day.hidden = kept.list !== "sample";
    table.wait();
    try {
      kept.found = await ask(asking.signal);
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      page.refused(error);
      pager.update(0, 0);
      table.say(sorry(error, t, read));
    }
  }

  function draw() {
    const { calls, total } = kept.found;
    pager.update(kept.offset, kept.list === "sample" ? 0 : total);
    if (calls.length > 0) table.show(calls, kept.chosen ?? null);
    else table.say(emptiness(t(`scores.${kept.list}.none`), t("scores.none.how")));
  }

  async function open(callId) {
    kept.chosen = callId;
    if (kept.found) draw();
    pane.replaceChildren(skeleton(6));
    try {
      drawPane(await readScore(callId));
    } catch (error) {
      page.refused(error);
      pane.replaceChildren(sorry(error, t, () => open(callId)));
    }
  }

  function drawPane(one) {
    const { call } = one;
    const title = [moment(call.started_at, t), call.operator_id ? t("calls.seat", { id: call.operator_id }) : ""];
    pane.replaceChildren(h("h2", {}, title.filter(Boolean).join(" · ")), ...scoreDetail(one, t), form(call));
    pane.scrollTop = 0;
  }

  /** What somebody may say of the score now. */
  function form(call) {
    const kind = whose === "mine" ? "appeal" : call.state === "appealed" ? "answer" : "review";
    if (kind === "appeal" && call.state === "appealed") return h("p", { class: "sys-hint" }, t("remark.waiting"));
    const text = h("textarea", { rows: "3", maxlength: "1000", "aria-label": t(`remark.${kind}.text`), placeholder: t(`remark.${kind}.text`) });
    const score = h("input", { type: "number", min: "0", max: "100", step: "0.5", "aria-label": t("remark.newScore"), placeholder: t("remark.newScore") });
    const wrong = h("p", { class: "pane-wrong", role: "alert" });
    const send = button(t(`remark.${kind}.send`), () => whileWorking(send, say, (error) => setText(wrong, reasonOf(error, t))), {
      class: "primary",
    });

    async function say() {
      setText(wrong, "");
      const changed = kind === "appeal" || score.value === "" ? null : Number(score.value);
      const one = await sayOfScore(call.call_id, { kind, text: text.value, score: changed });
      news.tell(t("remark.said"));
      drawPane(one);
      await read();
    }

    return h("div", { class: "pane-form" }, text, kind === "appeal" ? "" : score, wrong, send);
  }

  function act(name) {
    if (name === "down" || name === "up") return table.move(name === "down" ? 1 : -1);
    if (name === "before" || name === "after") {
      const next = lists.indexOf(kept.list) + (name === "after" ? 1 : -1);
      if (next < 0 || next >= lists.length) return false;
      choose(lists[next]);
      return true;
    }
    if (name === "again") return (read(), true);
    if (name === "back" && pane.contains(document.activeElement)) return table.focus();
    return false;
  }

  pane.replaceChildren(emptiness(t("scores.pane.none"), t(`scores.pane.how.${whose}`)));
  return {
    element,
    open: () => {
      if (kept.found) draw();
      read();
    },
    close: () => asking?.abort(),
    draw: () => {},
    act,
  };
}
