// The operator's desk: one header, three columns, two panels.
//
// In: the desk's whole state. Out: the page, and calls of `actions`. Not known here: sockets, addresses.

import { mountCalls } from "./calls.js";
import { h } from "./dom.js";
import { mountHeader } from "./header.js";
import { mountHelp, mountTokenPanel } from "./help.js";
import { wordsOf } from "./i18n.js";
import { listenForKeys } from "./keys.js";
import { mountKnowledge } from "./knowledge.js";
import { mountTranscript } from "./transcript.js";
import { mountTrial } from "./try/mount.js";

/** Build the desk into `root`, in one language. `close` ends its listeners, so that it can be built anew.
 * @param {{onLanguage, onTheme, onPick, onFollow, onMark, onToken}} actions */
export function mountDesk(root, language, actions) {
  const t = wordsOf(language);
  const listening = new AbortController();
  const help = mountHelp(t, { onClose: () => help.toggle(false) });
  const header = mountHeader(t, { ...actions, onHelp: () => help.toggle() });
  const calls = mountCalls(t, actions);
  const transcript = mountTranscript(t, { onLatestCall: actions.onFollow });
  const knowledge = mountKnowledge(t, actions);
  const token = mountTokenPanel(t, actions);
  const trial = mountTrial(language, actions, listening.signal);
  header.element.querySelector(".head-tools").prepend(trial.button);
  const columns = h("main", { class: "columns" }, calls.element, transcript.element, knowledge.element);

  document.documentElement.lang = language;
  root.replaceChildren(header.element, columns, trial.element, help.element, token.element);
  listenForKeys(act, listening.signal);

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name === "latest") return (transcript.toLatest(), true);
    return knowledge.act(name);
  }

  function update(desk) {
    header.update(desk);
    trial.update(desk);
    calls.update(desk);
    transcript.update(desk);
    knowledge.update(desk);
    token.update(desk.needsToken);
  }

  return { update, close: () => listening.abort() };
}
