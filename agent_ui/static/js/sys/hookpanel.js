// One webhook receiver: where it is, what it is told, how it fares, and what to do where it does not answer.
//
// In: receivers, what is typed. Out: a panel; changes to the server. Pausing can be taken back at once.

import { h } from "../dom.js";
import { button, many, moment, reasonOf, whileWorking } from "../parts.js";
import { mountFields, NEW } from "./fields.js";
import { secretOnce } from "./secret.js";
import { addHook, changeHook, pingHook, removeHook, renewSecret, skipEvent } from "./server.js";

/** What is said in calls is told only where it is named itself. */
const isSaid = (name) => name.startsWith("segment.") || name.startsWith("suggestion.");
const blank = () => ({ name: "", url: "", events: ["*"] });
const textsOf = ({ name, url, events }) => ({ name, url, events: [...events] });

/** @param {{news, kept: object, hooks: () => Array<object>, onChanged: (hook: object|null, gone?: number) => void,
 *   onOpened: () => void}} page `kept.chosen` is a number, `NEW`, or null; `kept.drafts` what is typed */
export function mountHookPanel(t, page) {
  const { news, kept } = page;
  const element = h("aside", { class: "sys-side", "aria-label": t("hook.panel") });
  const said = h("p", { class: "sys-fault", role: "alert" });
  let fields = null;
  let submit = null;

  const chosen = () => page.hooks().find((hook) => hook.receiver_id === kept.chosen) ?? null;
  const texts = () => kept.drafts[kept.chosen];

  function open(id) {
    if (kept.made) return holdSecret();
    kept.chosen = id;
    if (id === NEW) kept.drafts[NEW] ??= blank();
    draw();
    page.onOpened();
    fields?.focus("name");
  }

  function draw() {
    fields = submit = null;
    said.textContent = "";
    if (kept.made) element.replaceChildren(once(kept.made));
    else if (kept.chosen === NEW) element.replaceChildren(h("h2", {}, t("hooks.add")), form(add, t("hook.add")));
    else if (chosen()) element.replaceChildren(...showing(chosen()));
    else element.replaceChildren(...resting());
  }

  function resting() {
    return [h("h2", {}, t("hooks.what")), ...["1", "2", "3"].map((n) => h("p", {}, t(`hooks.what.${n}`)))];
  }

  function form(work, label) {
    fields = mountFields(texts(), [
      { name: "name", label: t("hook.name"), most: 100, hint: t("hook.name.how") },
      { name: "url", label: t("hook.url"), most: 1000, hint: t("hook.url.how") },
    ]);
    const send = h("button", { type: "submit", class: "primary", title: "Ctrl+S" }, label);
    submit = () => {
      const missing = ["name", "url"].find((name) => texts()[name].trim() === "");
      fields.showFault(missing ? { field: missing, text: t("fault.hook") } : null);
      if (missing) return;
      said.textContent = texts().events.length > 0 ? "" : t("fault.events");
      if (texts().events.length > 0) whileWorking(send, work, failed);
    };
    const made = h(
      "form",
      { class: "sys-form", novalidate: true },
      ...fields.elements,
      events(),
      said,
      h("div", { class: "sys-row" }, send, button(t("form.close"), back, { title: "Esc" })),
    );
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    return made;
  }

  /** All events, or some of them. */
  function events() {
    const box = (name, text) => {
      const check = h("input", { type: "checkbox", name });
      check.checked = texts().events.includes(name);
      check.disabled = name !== "*" && !isSaid(name) && texts().events.includes("*");
      check.addEventListener("change", () => {
        const others = texts().events.filter((one) => one !== name && (name !== "*" || !check.checked || isSaid(one)));
        texts().events = check.checked ? [...others, name] : others;
        said.textContent = "";
        list.replaceChildren(...boxes());
        list.querySelector(`[name="${name}"]`).focus();
      });
      return h("label", { class: "sys-check" }, check, h("span", {}, text));
    };
    const word = (name) => (t.knows(`hook.event.${name}`) ? t(`hook.event.${name}`) : name);
    const groupOf = (name) => (isSaid(name) ? "said" : name.split(".")[0]);
    const all = kept.events ?? [];
    const boxesOf = (group) => [
      h("p", { class: "hook-group" }, t.knows(`hook.group.${group}`) ? t(`hook.group.${group}`) : group),
      ...all.filter((name) => groupOf(name) === group).map((name) => box(name, word(name))),
    ];
    const boxes = () => [box("*", t("hook.events.all")), ...[...new Set(all.map(groupOf))].flatMap(boxesOf)];
    const list = h("div", { class: "sys-checks hook-events" }, ...boxes());
    return h("fieldset", { class: "sys-checks" }, h("legend", {}, t("hook.events")), list);
  }

  async function add() {
    const made = await addHook({ ...texts(), name: texts().name.trim(), url: texts().url.trim() });
    delete kept.drafts[NEW];
    Object.assign(kept, { made, chosen: made.receiver_id });
    page.onChanged(made);
    draw();
  }

  function showing(hook) {
    kept.drafts[hook.receiver_id] ??= textsOf(hook);
    const line = (key, text) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, text));
    const time = (at) => (at ? moment(at, t, { withSeconds: true }) : t("hook.never"));
    const isPaused = hook.standing === "paused";
    const act = (key, work, more) =>
      button(t(key), (event) => whileWorking(event.currentTarget, work, failed), more);
    return [
      h("h2", {}, hook.name),
      h("p", { class: hook.standing === "fine" ? "sys-hint" : "sys-look", role: "status" }, standingOf(hook)),
      h(
        "div",
        { class: "sys-row" },
        act(isPaused ? "hook.goOn" : "hook.pause", () => pause(hook, !isPaused)),
        act("hook.ping", () => ping(hook)),
        hook.attempts > 0 ? act("hook.skip", () => skip(hook), { title: t("hook.skip.how") }) : "",
        act("hook.secret", () => renew(hook)),
        h("span", { class: "far" }, act("hook.remove", () => remove(hook), { class: "danger" })),
      ),
      h(
        "dl",
        { class: "sys-facts" },
        line("hook.waiting", many(hook.waiting, t)),
        line("hook.delivered", many(hook.delivered, t)),
        line("hook.last", time(hook.last_delivered_at)),
        ...(hook.lost > 0 ? [line("hook.lost", many(hook.lost, t))] : []),
        ...(hook.next_try_at && !isPaused ? [line("hook.next", time(hook.next_try_at))] : []),
      ),
      form(() => save(hook), t("form.save")),
    ];
  }

  function standingOf(hook) {
    if (hook.pause !== null) return t(`hook.paused.${hook.pause}`);
    if (hook.standing === "fine") return t("hook.fine");
    const since = moment(hook.failing_since, t);
    return t("hook.failing", { since, error: hook.last_error, attempts: many(hook.attempts, t) });
  }

  async function save(hook) {
    const { name, url, events } = texts();
    became(await changeHook(hook.receiver_id, { name: name.trim(), url: url.trim(), events }), "hook.did.save");
  }

  async function pause(hook, isPaused) {
    became(await changeHook(hook.receiver_id, { is_paused: isPaused }), isPaused ? "hook.did.pause" : "hook.did.goOn");
  }

  const ping = async (hook) => became(await pingHook(hook.receiver_id), "hook.did.ping");
  const skip = async (hook) => became(await skipEvent(hook.receiver_id), "hook.did.skip");

  async function renew(hook) {
    kept.made = await renewSecret(hook.receiver_id);
    draw();
  }

  /** What waits for it would be lost with it, so it goes only where it is paused. */
  async function remove(hook) {
    if (hook.standing !== "paused") return news.tell(t("hook.remove.first"));
    await removeHook(hook.receiver_id);
    delete kept.drafts[hook.receiver_id];
    kept.chosen = null;
    page.onChanged(null, hook.receiver_id);
    draw();
    news.tell(t("hook.did.remove", { name: hook.name }));
  }

  function became(hook, key) {
    delete kept.drafts[hook.receiver_id];
    page.onChanged(hook);
    draw();
    news.tell(t(key, { name: hook.name }));
  }

  /** What is shown once goes only when somebody says that it is written down. */
  function holdSecret() {
    draw();
    news.tell(t("secret.first"));
  }

  function once({ name, secret }) {
    return secretOnce(t, {
      title: t("secret.hook", { name }),
      secret,
      lines: [t("secret.hook.how")],
      onDone: () => ((kept.made = null), draw()),
    });
  }

  function failed(error) {
    said.textContent = reasonOf(error, t);
  }

  function back() {
    if (kept.chosen === null || kept.made) return false;
    open(null);
    return true;
  }

  function refresh() {
    if (kept.made || kept.chosen === NEW || element.contains(document.activeElement)) return;
    draw();
  }

  kept.chosen ??= null;
  kept.drafts ??= Object.create(null);
  draw();
  return {
    element,
    open,
    refresh,
    back,
    unsaved: () => Boolean(kept.made) || Boolean(kept.drafts[NEW]?.url.trim()),
    save: () => (submit ? (submit(), true) : false),
  };
}
