// What in a line is worth taking along: numbers, dates, amounts, addresses; and the line cut at all its edges.
//
// In: a text, its corrections. Out: tokens, pieces. `start` and `end` count characters, as corrections do.
// Not known here: the document, what is done with a token.

const HAN = "[\\u4e00-\\u9fff]";
/** Words after which a name begins: what people say before it does not belong to it. */
const BEFORE_A_NAME =
  /^.*(?:[我你您他她们住在是到从的了去来和跟与有个这那里就往对向被把给说叫为]|靠近|地址|附近)(?=.{2})/u;

const KINDS = [
  ["order", /(?:(?<=工单(?:编?号)?(?:是|为|：|:)?\s?)[A-Za-z]{0,4}-?\d[\d-]{5,}|\b[A-Z]{1,4}-?\d{8,}|(?<!\d)20\d{10,14}(?![\dXx]))/gu],
  ["id", /(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])/gu],
  ["phone", /(?<![\d-])(?:1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4}|(?<=电话(?:号码)?(?:是|：)?)[2-8]\d{6,7})(?![\d-])/gu],
  ["amount", /(?:[¥￥]\s?\d[\d,]*(?:\.\d+)?[万亿]?|(?<![\d.])\d[\d,]*(?:\.\d+)?[十百千万亿]*(?:元|块钱?)(?:\d角)?)/gu],
  ["date", /(?:(?<!\d)(?:\d{4}年)?(?:1[0-2]|0?[1-9])月(?:3[01]|[12]\d|0?[1-9])[日号]|(?<!\d)\d{4}[-/](?:1[0-2]|0?[1-9])[-/](?:3[01]|[12]\d|0?[1-9])(?!\d))/gu],
  ["address", new RegExp(`${HAN}{1,12}?(?:路|街|大道|巷|弄)\\d+号?(?:之\\d+|弄\\d+号?)?(?:\\d+(?:幢|栋|号楼|单元|室))*`, "gu")],
  ["address", new RegExp(`${HAN}{2,12}?(?:小区|街道|社区|新村|公寓|花园|花苑|村)(?!务|民|里|委)(?:\\d+(?:幢|栋|号楼|单元|室))*`, "gu")],
];
const ADDRESS_NAME = /^.*?(?=路|街|大道|巷|弄|小区|社区|新村|公寓|花园|花苑|村)/u;
const EMPTY_NAMES = /^(?:个|哪个|那个|这个|一个|什么|哪|几个|新|老|们|全)*(?:小区|街道|社区|村|公寓|花园)$/u;

/** @returns {Array<{kind: string, start: number, end: number, value: string}>} in order, none over another */
export function tokensOf(text) {
  const found = [];
  for (const [kind, pattern] of KINDS) {
    for (const match of text.matchAll(pattern)) {
      const value = kind === "address" ? trimmedName(match[0]) : match[0];
      if (value === "") continue;
      const end = match.index + match[0].length;
      const start = end - value.length;
      if (found.some((other) => start < other.end && other.start < end)) continue;
      found.push({ kind, start, end, value });
    }
  }
  found.sort((a, b) => a.start - b.start);
  return found.map((token) => inCharacters(text, token));
}

/** An address without the words that lead to it; empty where no name is left. */
function trimmedName(address) {
  const name = ADDRESS_NAME.exec(address)?.[0] ?? "";
  const led = BEFORE_A_NAME.exec(name)?.[0] ?? "";
  const rest = address.slice(led.length);
  return EMPTY_NAMES.test(rest) || rest.length < 3 ? "" : rest;
}

function inCharacters(text, { kind, start, end, value }) {
  const count = (from, to) => Array.from(text.slice(from, to)).length;
  const first = count(0, start);
  return { kind, value, start: first, end: first + count(start, end) };
}

/** A line cut at the edges of its tokens and corrections. A correction keeps its index; one that no longer fits
 * the text is left out, and so is a token that cuts through one.
 * @returns {Array<{token: object|null, parts: Array<{text: string, heard: string|null, index: number}>}>} */
export function cutLine(text, corrections) {
  const characters = Array.from(text);
  const fixes = fitting(characters, corrections);
  const tokens = tokensOf(text).filter(({ start, end }) =>
    fixes.every((fix) => fix.end <= start || fix.start >= end || (fix.start >= start && fix.end <= end)),
  );
  const cut = [];
  let from = 0;
  for (const token of tokens) {
    if (token.start > from) cut.push({ token: null, parts: partsOf(characters, fixes, from, token.start) });
    cut.push({ token, parts: partsOf(characters, fixes, token.start, token.end) });
    from = token.end;
  }
  if (from < characters.length)
    cut.push({ token: null, parts: partsOf(characters, fixes, from, characters.length) });
  return cut;
}

function fitting(characters, corrections) {
  const fixes = [];
  let from = 0;
  const inOrder = corrections.map((fix, index) => ({ ...fix, index })).sort((a, b) => a.start - b.start);
  for (const { start, heard, written, index } of inOrder) {
    const end = start + Array.from(written).length;
    if (start < from || end === start || characters.slice(start, end).join("") !== written) continue;
    fixes.push({ start, end, heard, index });
    from = end;
  }
  return fixes;
}

function partsOf(characters, fixes, start, end) {
  const parts = [];
  let from = start;
  const plain = (to) => {
    if (to > from) parts.push({ text: characters.slice(from, to).join(""), heard: null, index: -1 });
  };
  for (const fix of fixes.filter((one) => one.start >= start && one.end <= end)) {
    plain(fix.start);
    const text = characters.slice(fix.start, fix.end).join("");
    parts.push({ text, heard: fix.heard, index: fix.index });
    from = fix.end;
  }
  plain(end);
  return parts;
}
