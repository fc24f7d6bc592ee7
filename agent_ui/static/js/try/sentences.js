// What went wrong, in the words of who sits in front of it. In: a code and the server's sentence. Out: a text.

/** Our own sentence where we have one for that code, else the server's, else the code to be quoted.
 * @param {"mic"|"file"} kind */
export function sentenceOf(kind, { code, message }, t) {
  const own = `${kind}.error.${code}`;
  if (code === "call.refused" && message) return message; // it says whether calls, ears or the disk are full
  if (t.knows(own)) return t(own);
  return message ? t("try.error.other", { message, code }) : t("try.error.unnamed", { code });
}
