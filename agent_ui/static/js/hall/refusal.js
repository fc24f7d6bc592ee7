// What a board says that may not come in: who has to do what.
//
// In: the code of the refusal. Out: an element. Not known here: sockets.

import { h, setText } from "../dom.js";
import { FORBIDDEN } from "../socket.js";

export function mountRefusal(t) {
  const title = h("h2");
  const how = h("p");
  const code = h("p", { class: "refusal-code" });
  const address = t("refused.address", { address: location.origin + location.pathname });
  const element = h(
    "div",
    { class: "hall-refusal", role: "alert", hidden: true },
    title,
    how,
    h("p", { class: "refusal-address" }, address),
    code,
  );
  return {
    element,
    /** @param {number|null} closeCode null: nothing is refused */
    update(closeCode) {
      element.hidden = closeCode === null;
      if (closeCode === null) return;
      const words = closeCode === FORBIDDEN ? "refused.forbidden" : "refused";
      setText(title, t(closeCode === FORBIDDEN ? words : "refused.title"));
      setText(how, t(`${words}.how`));
      setText(code, t("refused.code", { code: closeCode }));
    },
  };
}
