// Settings while they are being changed, as a fold of what happened.
//
// In: a state and one event `{type, …}`. Out: the next state, what is not saved yet, what is wrong with it.
// Not known here: the document, the server, what a setting means.

export function emptySettings() {
  return { phase: "loading", error: null, tag: null, settings: [], typed: {}, overtaken: [] };
}

/** `typed` holds what differs from what is in force: a text, or null for back to the default. */
export function reduceSettings(state, event) {
  return STEPS[event.type](state, event);
}

const STEPS = {
  asked: (state) => ({ ...state, phase: state.settings.length > 0 ? "ready" : "loading" }),
  /** The server's list. What is typed stays; what somebody else has changed meanwhile is marked. */
  came: (state, { settings, tag }) => {
    const before = new Map(state.settings.map((one) => [one.name, one.value]));
    const moved = settings
      .filter(({ name, value }) => name in state.typed && before.get(name) !== value)
      .map(({ name }) => name);
    const next = { ...state, phase: "ready", error: null, settings, tag };
    const overtaken = [...new Set([...state.overtaken, ...moved])];
    return tidied({ ...next, overtaken });
  },
  /** Saved: nothing that was sent is open any more; what was typed since is. */
  saved: (state, { settings, tag, sent }) => {
    const typed = Object.fromEntries(
      Object.entries(state.typed).filter(([name, text]) => !(name in sent) || sent[name] !== text),
    );
    return tidied({ ...state, phase: "ready", error: null, settings, tag, typed });
  },
  failed: (state, { error }) => ({ ...state, phase: state.settings.length > 0 ? "ready" : "failed", error }),
  typed: (state, { name, text }) => tidied({ ...state, typed: { ...state.typed, [name]: text } }),
  reset: (state, { name }) => tidied({ ...state, typed: { ...state.typed, [name]: null } }),
  reverted: (state) => ({ ...state, typed: {}, overtaken: [] }),
};

/** Without what is no change. */
function tidied(state) {
  const isChange = ([name, text]) => {
    const setting = state.settings.find((one) => one.name === name);
    if (setting === undefined) return false;
    return text === null ? !isDefault(setting) : text.trim() !== textOf(setting.value);
  };
  const typed = Object.fromEntries(Object.entries(state.typed).filter(isChange));
  return { ...state, typed, overtaken: state.overtaken.filter((name) => name in typed) };
}

/** Whether nobody has chosen anything else. */
export function isDefault(setting) {
  return setting.value === setting.default && setting.changed_by === null;
}

/** A value as it stands in its field. */
export function textOf(value) {
  return value === true ? "on" : value === false ? "off" : String(value ?? "");
}

/** What the field of a setting shows. */
export function shownText({ typed }, setting) {
  if (!(setting.name in typed)) return textOf(setting.value);
  return typed[setting.name] ?? textOf(setting.default);
}

/** What is wrong with what is typed, as the end of a word; null where nothing is.
 * @returns {"empty"|"number"|"whole"|"range"|"terms"|null} */
export function faultOf(setting, text) {
  if (setting.kind === "switch") return null;
  if (setting.kind === "terms") return isTerms(text) ? null : "terms";
  const value = numberOf(text);
  if (text.trim() === "") return "empty";
  if (value === null) return "number";
  if (setting.kind === "whole" && !Number.isInteger(value)) return "whole";
  const isBelow = setting.least !== null && value < setting.least;
  const isAbove = setting.most !== null && value > setting.most;
  return isBelow || isAbove ? "range" : null;
}

/** Whether each piece of the line is a type with two numbers of days; the server has the last word. */
function isTerms(text) {
  const pieces = text.split(/[；;\n]/).map((piece) => piece.trim());
  return pieces.every((piece) => piece === "" || /^[^/／]*[^\s/／]\s+[0-9０-９]+\s*[/／]\s*[0-9０-９]+$/.test(piece));
}

/** Digits as an input method writes them are digits, too. */
function numberOf(text) {
  const plain = text.trim().replace(/[０-９．－]/g, (one) => String.fromCharCode(one.charCodeAt(0) - 0xfee0));
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : null;
}

/** The body of a save: values by name, null for back to the default. */
export function changesOf({ settings, typed }) {
  return Object.fromEntries(
    Object.entries(typed).map(([name, text]) => {
      const setting = settings.find((one) => one.name === name);
      if (text === null) return [name, null];
      if (setting.kind === "terms") return [name, text.trim()];
      return [name, setting.kind === "switch" ? text === "on" : numberOf(text)];
    }),
  );
}

/** The save that takes another one back. */
export function reverseOf({ settings }, changes) {
  return Object.fromEntries(
    settings
      .filter(({ name }) => name in changes)
      .map((setting) => [setting.name, setting.changed_by === null ? null : setting.value]),
  );
}

/** The first setting that cannot be saved as it is typed. */
export function firstFault(state) {
  return (
    state.settings.find((one) => one.name in state.typed && faultOf(one, shownText(state, one)) !== null) ??
    null
  );
}

/** Settings by their group, in the order of the server. */
export function grouped(settings) {
  const groups = new Map();
  for (const setting of settings) groups.set(setting.group, [...(groups.get(setting.group) ?? []), setting]);
  return [...groups].map(([name, members]) => ({ name, members }));
}
