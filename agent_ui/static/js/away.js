// A page that cannot begin yet, because the server is not there.
//
// In: nothing. Out: one sentence on the empty page, and a way to take it off. Not known here: what is waited for.

import { h } from "./dom.js";
import { chosenLanguage, wordsOf } from "./i18n.js";

/** Say it. @returns {() => void} takes it off */
export function sayAway() {
  const t = wordsOf(chosenLanguage());
  const element = h("p", { class: "placeholder-title away", role: "status" }, t("app.away"));
  document.body.append(element);
  return () => element.remove();
}
