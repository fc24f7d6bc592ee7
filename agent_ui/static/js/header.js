// The head of the desk: who we are, whether the line holds, which call, who sits here.
//
// In: the desk's state once a second and at every change. Out: a header, and calls of `actions`.

import { h, setAttribute, setText } from "./dom.js";
import { duration, maskedNumber, timer } from "./format.js";
import { CALL_STATE } from "./protocol.js";
import { elapsedS } from "./reduce.js";

/** @param {{session: import("./api.js").Session, onLeave: () => void, onLanguage: () => void,
 *   onTheme: () => void, onHelp: () => void}} actions */
export function mountHeader(t, actions) {
  const lineText = h("span", { role: "status" });
  const lineSince = h("span", { class: "line-since", "aria-hidden": "true" });
  const line = h(
    "div",
    { class: "line" },
    h("span", { class: "lamp", "aria-hidden": "true" }),
    lineText,
    lineSince,
  );
  const state = h("span", { class: "head-state" });
  const time = h("span", { class: "head-timer", role: "timer" });
  const caller = h("span", { class: "head-caller" });
  const operator = actions.session.is_open
    ? h("span", { class: "head-operator" })
    : h("a", { class: "head-operator", href: "password", target: "_blank", title: t("app.password.tip") });
  const button = (key, onclick) =>
    h(
      "button",
      { type: "button", class: "quiet", title: t(`${key}.tip`), "aria-label": t(`${key}.tip`), onclick },
      t(key),
    );
  const help = button("app.help", actions.onHelp);
  help.append(h("kbd", { "aria-hidden": "true" }, "?"));
  const language = button("app.language", actions.onLanguage);

  const element = h(
    "header",
    { class: "head" },
    h("h1", {}, h("strong", {}, t("app.brand")), h("span", {}, t("app.desk"))),
    line,
    h("div", { class: "head-call" }, state, time, caller),
    operator,
    h(
      "div",
      { class: "head-tools" },
      h("a", { class: "head-link", href: "orders", title: t("app.orders.tip") }, t("app.orders")),
      ...(actions.session.scopes.includes("knowledge:write")
        ? [h("a", { class: "head-link", href: "knowledge", title: t("app.knowledge.tip") }, t("app.knowledge"))]
        : []),
      ...(actions.session.scopes.includes("recordings")
        ? [h("a", { class: "head-link", href: "recordings", title: t("app.recordings.tip") }, t("app.recordings"))]
        : []),
      ...(actions.session.scopes.includes("calls:all") || actions.session.operator_id
        ? [h("a", { class: "head-link", href: "watch", title: t("app.watch.tip") }, t("app.watch"))]
        : []),
      h("a", { class: "head-link", href: "records", title: t("app.records.tip") }, t("app.records")),
      ...(["system", "tokens"].some((scope) => actions.session.scopes.includes(scope))
        ? [h("a", { class: "head-link", href: "system", title: t("app.system.tip") }, t("app.system"))]
        : []),
      ...(actions.session.is_open ? [] : [button("app.leave", actions.onLeave)]),
      language,
      button("app.theme", actions.onTheme),
      help,
    ),
  );

  function update({ state: { call }, line: lineState, offlineSinceMs, operatorId, serverMs, nowMs }) {
    setAttribute(line, "data-line", lineState);
    setText(lineText, t(`line.${lineState}`));
    const offlineS = offlineSinceMs === null ? 0 : (nowMs - offlineSinceMs) / 1000;
    setText(lineSince, offlineS >= 1 ? t("line.since", { duration: duration(offlineS, t.language) }) : "");
    setAttribute(element, "data-call", call?.state ?? "none");
    setText(state, t(`state.${call?.state ?? "none"}`));
    setText(time, call ? timer(elapsedS(call, serverMs)) : "");
    setText(
      caller,
      call ? `${t("app.caller")} ${call.caller ? maskedNumber(call.caller) : t("caller.unknown")}` : "",
    );
    const seat = operatorId ?? call?.operator_id;
    const name = actions.session.is_open ? "" : actions.session.display_name;
    setText(operator, [name, seat ? `${t("app.operator")} ${seat}` : ""].filter(Boolean).join(" · "));
    const isLive = call?.state === CALL_STATE.LIVE;
    document.title = isLive ? `${timer(elapsedS(call, serverMs))} · ${t("app.title")}` : t("app.title");
  }

  return { element, help, language, update };
}
