// The operator's desk: one header, three columns, two panels.
//
// In: the desk's whole state. Out: the page, and calls of `actions`. Not known here: sockets, addresses.

import { ALARM_WORDS } from "./alarm_words.js";
import { mountCalls } from "./calls.js";
import { mountCrm } from "./crm.js";
import { DESK_WORDS } from "./desk_words.js";
import { h } from "./dom.js";
import { mountEarlier } from "./earlier.js";
import { keepFocus } from "./focus.js";
import { mountHeader } from "./header.js";
import { mountHelp } from "./help.js";
import { wordsOf } from "./i18n.js";
import { listenForKeys } from "./keys.js";
import { mountKnowledge } from "./knowledge.js";
import { mountNotes } from "./notes.js";
import { mountReplay } from "./replay.js";
import { together } from "./shell.js";
import { mountTranscript } from "./transcript.js";
import { mountTransfer } from "./transfer.js";
import { mountTrial } from "./try/mount.js";
import { mountBrief } from "./wrapup/brief.js";
import { mountForm } from "./wrapup/form.js";
import { WRAPUP_WORDS } from "./wrapup/words.js";

/** Build the desk into `root`, in one language. `close` ends its listeners, so that it can be built anew.
 * @param {{onLanguage, onTheme, onPick, onFollow, onMark, onLeave, session, onKeys,
 *   onCorrect, onUndo, onRestore, onEarlier, onSought, onTrim, onNote, onTransfer}} actions */
export function mountDesk(root, language, actions) {
  const t = wordsOf(language, together(DESK_WORDS, ALARM_WORDS, WRAPUP_WORDS));
  const listening = new AbortController();
  const help = mountHelp(t, {
    onClose: () => help.toggle(false),
    onKeys: actions.onKeys,
    opener: () => header.help,
  });
  const header = mountHeader(t, { ...actions, onHelp: () => help.toggle() });
  const earlier = mountEarlier(t, { onRead: () => knowledge.read(), onBack: () => knowledge.back() });
  const notes = mountNotes(t, actions);
  const transfer = mountTransfer(t, actions);
  const brief = mountBrief(t, { onOpen: () => knowledge.act("form") });
  const crm = mountCrm(t, actions.session.crm_url);
  const calls = mountCalls(t, actions, {
    crm: crm.element,
    brief: brief.element,
    transfer: transfer.element,
    earlier: earlier.element,
    notes: notes.element,
  });
  const replay = mountReplay(t);
  const transcript = mountTranscript(t, {
    ...actions,
    onLatestCall: actions.onFollow,
    onPlay: replay.play,
    replay: replay.element,
  });
  const form = mountForm(t, {
    onBack: () => knowledge.back(),
    onPoint: transcript.point,
    onHear: transcript.hear,
  });
  const knowledge = mountKnowledge(t, actions, { reader: earlier.panel, form });
  const trial = mountTrial(language, actions, listening.signal);
  header.element.querySelector(".head-tools").prepend(trial.button);
  const columns = h("main", { class: "columns" }, calls.element, transcript.element, knowledge.element);

  document.documentElement.lang = language;
  root.replaceChildren(header.element, columns, trial.element, help.element);
  listenForKeys(act, listening.signal);
  keepFocus(listening.signal);

  function act(name) {
    if (name === "help") return help.toggle();
    if (name === "back" && help.isOpen()) return help.toggle(false);
    if (name === "latest") return (transcript.toLatest(), true);
    if (name === "edit" || name === "undo") return transcript.act(name);
    if (name === "back" && transcript.act(name)) return true;
    if (name === "replay") return replay.again();
    if (name === "newNote") return notes.focus();
    if (name === "transfer") return transfer.open();
    if (name === "crm") return crm.open();
    return knowledge.act(name);
  }

  function update(desk) {
    header.update(desk);
    trial.update(desk);
    calls.update(desk);
    transcript.update(desk);
    knowledge.update(desk);
    transfer.update(desk);
    brief.update(desk.state);
    form.update(desk);
    notes.update(desk.state);
    earlier.update(desk.state.call);
    crm.update(desk.state.call);
    replay.update(desk.state.call);
  }

  /** What is typed and not saved yet belongs to the call that is left. */
  function leave() {
    notes.save();
    form.save();
  }

  function close() {
    leave();
    replay.stop();
    listening.abort();
  }

  return { update, close, leave, help, languageButton: header.language };
}
