// What a page says of a server that is not there yet, or wants to be asked more slowly.
//
// In: nothing. Out: one sentence on the page, and a way to take it off. Not known here: what is waited for.

import { h } from "./dom.js";
import { chosenLanguage, wordsOf } from "./i18n.js";

let slowed = 0;
let slowedLine = null;

/** Say that there is no server, on a page that is still empty. @returns {() => void} takes it off */
export function sayAway() {
  const t = wordsOf(chosenLanguage());
  const element = h("p", { class: "placeholder-title away", role: "status" }, t("app.away"));
  document.body.append(element);
  return () => element.remove();
}

/** Say that something takes longer, once for all that waits. @returns {() => void} takes it off */
export function saySlowed() {
  slowed += 1;
  if (slowedLine === null) {
    slowedLine = h("p", { class: "slowed", role: "status" }, wordsOf(chosenLanguage())("app.slowed"));
    document.body.append(slowedLine);
  }
  return () => {
    slowed -= 1;
    if (slowed > 0) return;
    slowedLine?.remove();
    slowedLine = null;
  };
}
