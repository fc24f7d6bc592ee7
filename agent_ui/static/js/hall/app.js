// Wires the board: one line, one fold, nine panels, drawn when something changed and once a second.
//
// In: the address bar, the stream of the hall. Out: what the panels draw. The only file that knows them all.

import { goToLogin } from "../api.js";
import { h } from "../dom.js";
import { chosenLanguage, wordsOf } from "../i18n.js";
import { FORBIDDEN } from "../socket.js";
import { mountDistricts } from "./districts.js";
import { figures } from "./figures.js";
import { mountHead } from "./head.js";
import { mountIssues } from "./issues.js";
import { mountKinds } from "./kinds.js";
import { keyOfScreen, openLine } from "./line.js";
import { mountMatters } from "./matters.js";
import { mountAnswer, mountNow } from "./now.js";
import { mountOverdue, mountSatisfied } from "./orders.js";
import { freshness, presentMs } from "./present.js";
import { emptyDay, reduce } from "./reduce.js";
import { mountRefusal } from "./refusal.js";
import { mountToday } from "./today.js";
import { TURN_S } from "./turning.js";
import { HALL_WORDS } from "./words.js";

const TICK_MS = 1000;
/** News that come close together are drawn together. */
const TOGETHER_MS = 250;
const MOUNT = [
  mountNow,
  mountAnswer,
  mountSatisfied,
  mountOverdue,
  mountToday,
  mountKinds,
  mountMatters,
  mountDistricts,
  mountIssues,
];

const t = wordsOf(language(), HALL_WORDS);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const key = keyOfScreen();
let day = emptyDay();
let heard = null;
/** The code of the close by which the board was turned away, while it is. */
let refused = null;
let drawing = 0;

document.documentElement.lang = t.language;
document.title = t("hall.title");
const head = mountHead(t);
const panels = MOUNT.map((mount) => mount(t));
const refusal = mountRefusal(t);
const stage = h(
  "main",
  { class: "hall-panels", "data-loading": "" },
  ...panels.map(({ element }) => element),
);
document.getElementById("page").replaceChildren(head.element, stage, refusal.element);

const stream = openLine({
  key,
  since: () => (day.isLoaded ? day.seq : null),
  onEvent,
  onRefused,
});
setInterval(tick, TICK_MS);
addEventListener("resize", () => panels.forEach((one) => one.resize?.()));
draw();

/** What the address asks for, else what was chosen in this browser. */
function language() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === null) return chosenLanguage();
  return asked.startsWith("en") ? "en" : "zh-CN";
}

function onEvent(event) {
  const before = day;
  day = reduce(before, event);
  if (day === before) return;
  heard = { serverMs: Date.parse(day.at), heardMs: performance.now(), speed: day.speed };
  refused = null;
  if (!day.isWhole) stream.askAnew();
  drawSoon();
}

/** Whoever sits before an empty page may sign in; a screen on the wall says what it needs, and keeps trying. */
function onRefused(code) {
  if (code < 4000) return;
  refused = code;
  if (code !== FORBIDDEN && key === null && !day.isLoaded) goToLogin();
  drawSoon();
}

function drawSoon() {
  drawing ||= setTimeout(draw, TOGETHER_MS);
}

function tick() {
  draw();
  // The first time may have been too soon after another one.
  if (!day.isWhole || head.isOld()) stream.askAnew();
}

function draw() {
  clearTimeout(drawing);
  drawing = 0;
  const stopwatchMs = performance.now();
  const clockMs = heard === null ? 0 : presentMs(heard, stopwatchMs);
  const fresh = freshness(heard, refused, stopwatchMs);
  head.update({ day, heard, refused, fresh, clockMs });
  refusal.update(day.isLoaded ? null : refused);
  if (!day.isLoaded) return;
  // Old figures beside what is usual now would look like a quiet day.
  const nowMs = fresh.level === "stale" ? heard.serverMs : clockMs;
  stage.removeAttribute("data-loading");
  const round = Math.floor(stopwatchMs / 1000 / TURN_S);
  const board = { day, nowMs, figures: figures(day, nowMs), round, turn: still.matches ? null : round };
  for (const one of panels) one.update(board);
}
