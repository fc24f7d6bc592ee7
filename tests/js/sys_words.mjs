// All words of the system page, as the page puts them together.

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";
import { SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";
import { AUDIT_WORDS } from "../../agent_ui/static/js/sys/auditwords.js";
import { HOOK_WORDS } from "../../agent_ui/static/js/sys/hookwords.js";
import { LEXICON_WORDS } from "../../agent_ui/static/js/sys/lexiconwords.js";
import { PEOPLE_WORDS } from "../../agent_ui/static/js/sys/peoplewords.js";
import { SETTING_WORDS } from "../../agent_ui/static/js/sys/settingwords.js";
import { STATE_WORDS } from "../../agent_ui/static/js/sys/statewords.js";
import { SYS_WORDS } from "../../agent_ui/static/js/sys/words.js";

export const ALL = together(
  SHELL_WORDS,
  PART_WORDS,
  SYS_WORDS,
  PEOPLE_WORDS,
  HOOK_WORDS,
  LEXICON_WORDS,
  SETTING_WORDS,
  STATE_WORDS,
  AUDIT_WORDS,
);
export const zh = wordsOf("zh-CN", ALL);
