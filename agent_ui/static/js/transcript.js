// The middle column: what is being said.
//
// In: a call's state. Out: a column that follows the end unless the reader scrolled up.
// Not known here: where lines come from; work per update goes with what changed, not with the call's length.

import { h, keyedRows, setAttribute, setText } from "./dom.js";
import { clockTime, pieces } from "./format.js";
import { quietLine } from "./notice.js";
import { CALL_STATE } from "./protocol.js";

const NEAR_END_PX = 48;

/** @param {{onLatestCall: () => void}} actions */
export function mountTranscript(t, actions) {
  const list = h("ol", { class: "lines" });
  const placeholder = mountPlaceholder(t, actions);
  const scroller = h(
    "div",
    { class: "lines-scroll", tabindex: "0", role: "group", "aria-label": t("transcript.title") },
    list,
    placeholder.element,
  );
  const latest = h("button", { type: "button", class: "latest", title: `${t("transcript.latest")} (End)` });
  const quiet = h("p", { class: "quiet-line", role: "status" });
  const spoken = h("p", { class: "offscreen", "aria-live": "polite" });
  const element = h(
    "section",
    { class: "column column-transcript", "aria-label": t("transcript.title") },
    h("div", { class: "column-head" }, h("h2", {}, t("transcript.title"))),
    h("div", { class: "lines-frame" }, scroller, latest),
    quiet,
    spoken,
  );

  let shown = { call: null, lines: [] };
  let isFollowing = true;
  let unseen = 0;
  let startedMs = 0;
  let lastTop = 0;

  const showLines = keyedRows(list, {
    key: (segment) => `${segment.call_id}/${segment.segment_id}`,
    create: createLine,
    update: (row, segment) => updateLine(row, segment, startedMs, t),
  });

  // Only a reader moving up stops the following; a line that grew, or a window that shrank, does not.
  scroller.addEventListener("scroll", () => {
    const isNearEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
    isFollowing = isNearEnd || (isFollowing && scroller.scrollTop >= lastTop);
    lastTop = scroller.scrollTop;
    if (isFollowing) unseen = 0;
    offerLatest();
  });
  latest.addEventListener("click", toLatest);
  new ResizeObserver(() => isFollowing && toEnd()).observe(scroller);

  function update({ state, isOnline, serverMs, isWatching, streamError, needsToken }) {
    const isOtherCall = state.call?.call_id !== shown.call?.call_id;
    if (isOtherCall) {
      startedMs = state.call ? Date.parse(state.call.started_at) : 0;
      isFollowing = true;
      unseen = 0;
    }
    if (state.lines !== shown.lines) {
      const fresh = isOtherCall ? [] : newFinals(shown.lines, state.lines);
      showLines(state.lines);
      if (fresh.length > 0)
        setText(spoken, fresh.map((line) => `${t(`party.${line.party}`)}：${line.text}`).join("\n"));
      if (!isFollowing) unseen += fresh.length;
      else if (!isSelectingIn(scroller)) toEnd();
      offerLatest();
    }
    shown = state;
    placeholder.update(needsToken ? "none" : kindOf(state, isWatching, streamError), streamError);
    const { level, text } = quietLine({ state, isOnline, serverMs }, t);
    setAttribute(quiet, "data-level", level);
    setText(quiet, text);
  }

  function offerLatest() {
    latest.hidden = isFollowing;
    setText(latest, unseen > 0 ? t("transcript.latest.new", { count: unseen }) : t("transcript.latest"));
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
  }

  function toLatest() {
    isFollowing = true;
    unseen = 0;
    toEnd();
    offerLatest();
  }

  offerLatest();
  return { element, update, toLatest };
}

function createLine(segment) {
  return h(
    "li",
    { class: "line-row", "data-party": segment.party },
    h(
      "div",
      { class: "line-meta" },
      h("time"),
      h("span", { class: "line-who" }),
      h("span", { class: "line-hearing" }),
    ),
    h("p", { class: "line-text" }),
  );
}

function updateLine(row, segment, startedMs, t) {
  const [time, who, hearing] = row.firstChild.children;
  setText(time, clockTime(startedMs + segment.start_s * 1000));
  setText(who, t(`party.${segment.party}`));
  setText(hearing, segment.is_final ? (segment.is_unclear ? t("transcript.unclear") : "") : t("transcript.hearing"));
  setAttribute(row, "data-unclear", String(segment.is_unclear));
  setAttribute(row, "data-final", String(segment.is_final));
  const text = row.lastChild;
  if (segment.corrections.length === 0) {
    setText(text, segment.text);
    return;
  }
  text.replaceChildren(
    ...pieces(segment.text, segment.corrections).map((piece) =>
      piece.heard === null
        ? piece.text
        : h("span", { class: "corrected", title: t("transcript.heard", { heard: piece.heard }) }, piece.text),
    ),
  );
}

/** Finals at the end of `after` that `before` did not have as finals. */
function newFinals(before, after) {
  const known = new Set(
    before
      .slice(-50)
      .filter((line) => line.is_final)
      .map((line) => line.segment_id),
  );
  return after.slice(-20).filter((line) => line.is_final && !known.has(line.segment_id));
}

function isSelectingIn(scroller) {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && scroller.contains(selection.anchorNode);
}

function mountPlaceholder(t, actions) {
  const title = h("p", { class: "placeholder-title" });
  const how = h("p");
  const back = h("button", { type: "button", onclick: actions.onLatestCall }, t("transcript.error.back"));
  const words = h("div", { class: "placeholder" }, title, how, back);
  const skeleton = h(
    "div",
    { class: "lines-skeleton", "aria-hidden": "true" },
    h("i"),
    h("i"),
    h("i"),
    h("i"),
    h("i"),
  );
  const element = h("div", { class: "lines-placeholder" }, words, skeleton);

  function update(kind, streamError) {
    element.hidden = kind === "none";
    skeleton.hidden = kind !== "loading";
    words.hidden = kind === "loading" || kind === "none";
    back.hidden = kind !== "error";
    if (words.hidden) return;
    setText(title, t(`transcript.${kind}`));
    setText(how, t(`transcript.${kind}.how`, { code: streamError?.code }));
  }

  return { element, update };
}

function kindOf(state, isWatching, streamError) {
  if (streamError) return "error";
  if (isWatching && !state.isLoaded) return "loading";
  if (state.call === null) return "empty";
  if (state.lines.length > 0) return "none";
  return state.call.state === CALL_STATE.ENDED ? "blank" : "silent";
}
