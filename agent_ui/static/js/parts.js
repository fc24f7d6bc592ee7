// Small pieces that the pages of lists share: waiting, empty, sorry, the one line of news.
//
// In: words. Out: elements. Not known here: what they are about.

import { ApiError } from "./api.js";
import { h, isLocked, lock, setText } from "./dom.js";
import { zone } from "./format.js";

const SAID_MS = 8000;

/** The words of these pieces, to be put together with those of a page. */
export const PART_WORDS = {
  "zh-CN": {
    "news.undo": "撤销",
    "error.offline": "连不上服务器，稍后再试；没保存的内容仍在这台电脑上。",
    "error.refused": "没有权限（{code}），请联系管理员。",
    "error.fields": "有内容填得不对，请检查后再试（{code}）。",
    "error.said": "{message}（{code}）",
    "error.unnamed": "没有成功，请重试；仍不行请告诉管理员。",
    "list.range": "{first}–{last}，共 {total} 条",
    "list.pageBack": "上一页",
    "list.pageOn": "下一页",
    "key.back": "退一步",
    "key.help": "打开或关闭本说明",
  },
  en: {
    "news.undo": "Undo",
    "error.offline": "The server cannot be reached. Try again; what you typed is still on this PC.",
    "error.refused": "You may not do this ({code}). Ask your administrator.",
    "error.fields": "Something is filled in wrongly. Check it and try again ({code}).",
    "error.said": "{message} ({code})",
    "error.unnamed": "That did not work. Try again, or tell your administrator.",
    "list.range": "{first}–{last} of {total}",
    "list.pageBack": "Previous page",
    "list.pageOn": "Next page",
    "key.back": "One step back",
    "key.help": "This help",
  },
};

/** Grey bars while something is being read. */
export function skeleton(bars = 6) {
  return h(
    "div",
    { class: "skeleton", "aria-hidden": "true" },
    ...Array.from({ length: bars }, () => h("i")),
  );
}

/** What will appear here, and how. */
export function emptiness(title, how, ...more) {
  return h(
    "div",
    { class: "placeholder empty" },
    h("p", { class: "placeholder-title" }, title),
    h("p", {}, how),
    ...more,
  );
}

/** What went wrong, in the server's sentence or ours, with the code to quote. */
export function reasonOf(error, t) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return t("error.offline");
  if (error.status === 401 || error.status === 403) {
    if (!error.detail.message) return t("error.refused", { code: error.code });
  }
  if (error.status === 422 && error.detail.fields) return t("error.fields", { code: error.code });
  return t("error.said", { message: error.detail.message ?? t("error.unnamed"), code: error.code });
}

/** The same with a button to try again. */
export function sorry(error, t, onRetry) {
  return h(
    "div",
    { class: "sorry", role: "alert" },
    h("p", {}, reasonOf(error, t)),
    onRetry ? h("button", { type: "button", onclick: onRetry }, t("article.retry")) : "",
  );
}

/** A button with its key in the tooltip. */
export function button(label, onclick, more = {}) {
  return h("button", { type: "button", onclick, ...more }, label);
}

/** Press once: the button rests until the work is done. Errors go to `onError`. */
export async function whileWorking(element, work, onError) {
  if (isLocked(element)) return;
  lock(element, true);
  try {
    await work();
  } catch (error) {
    onError(error);
  } finally {
    lock(element, false);
  }
}

/** One line of news at the foot of the page, the newest only, with an undo where there is one. */
export function mountNews(t) {
  const text = h("span", { role: "status" });
  const undo = h("button", { type: "button", hidden: true });
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": t("help.close"), onclick: hide },
    "×",
  );
  const element = h("div", { class: "news", hidden: true }, text, undo, close);
  let timer = 0;
  let onUndo = null;
  undo.addEventListener("click", () => {
    const work = onUndo;
    hide();
    work?.();
  });

  /** @param {{label?: string, undo?: () => void, level?: "good"|"bad"}} more */
  function tell(said, more = {}) {
    clearTimeout(timer);
    setText(text, said);
    onUndo = more.undo ?? null;
    undo.hidden = onUndo === null;
    setText(undo, more.label ?? t("news.undo"));
    element.dataset.level = more.level ?? "good";
    element.hidden = false;
    if (more.level !== "bad") timer = setTimeout(hide, onUndo ? 2 * SAID_MS : SAID_MS);
  }

  function hide() {
    clearTimeout(timer);
    element.hidden = true;
    onUndo = null;
  }

  return { element, tell, hide, undo: () => !element.hidden && onUndo !== null && (undo.click(), true) };
}

/** "3月5日 10:32" for a moment; with the year where it is another one, with seconds where they are wanted. */
export function moment(iso, t, { now = new Date(), withSeconds = false } = {}) {
  if (!iso) return "";
  const at = new Date(iso);
  const isThisYear = at.getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat(t.language === "en" ? "en-GB" : "zh-CN", {
    timeZone: zone,
    year: isThisYear ? undefined : "numeric",
    month: t.language === "en" ? "short" : "long",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: withSeconds ? "2-digit" : undefined,
    hourCycle: "h23",
  }).format(at);
}

/** A number as people write it. */
export function many(number, t) {
  return new Intl.NumberFormat(t.language === "en" ? "en-GB" : "zh-CN").format(number);
}
