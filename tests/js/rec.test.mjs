// What the page of recordings decides: jobs in words, files that fit, times of characters, hits, keys.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { wordsOf } from "../../agent_ui/static/js/i18n.js";
import { PART_WORDS } from "../../agent_ui/static/js/parts.js";
import * as jobs from "../../agent_ui/static/js/rec/jobs.js";
import { actionOf, keyRows } from "../../agent_ui/static/js/rec/keys.js";
import * as papers from "../../agent_ui/static/js/rec/paper.js";
import { characterAt, stepFrom, timesOf } from "../../agent_ui/static/js/rec/timing.js";
import * as uploads from "../../agent_ui/static/js/rec/uploads.js";
import { PAPER_WORDS } from "../../agent_ui/static/js/rec/paperwords.js";
import { UPLOAD_WORDS } from "../../agent_ui/static/js/rec/uploadwords.js";
import { JOB_WORDS } from "../../agent_ui/static/js/rec/words.js";
import { SHELL_WORDS, together } from "../../agent_ui/static/js/shell.js";

const ALL = together(SHELL_WORDS, PART_WORDS, JOB_WORDS, UPLOAD_WORDS, PAPER_WORDS);
const zh = wordsOf("zh-CN", ALL);

const job = (more = {}) => ({
  job_id: "j-1",
  name: "夜班",
  is_mine: true,
  state: "running",
  files: { total: 4, waiting: 1, done: 2, failed: 1 },
  done_s: 600,
  worked_s: 20,
  left_s: 61,
  ...more,
});

describe("the list of jobs", () => {
  const came = (...list) => ({ type: "came", jobs: list, total: list.length, atMs: 5 });

  it("keeps jobs that did not change as they are, and rows that are shown where the server is silent", () => {
    const first = jobs.reduceJobs(jobs.noJobs(), came(job(), job({ job_id: "j-2" })));
    const next = jobs.reduceJobs(first, came(job(), job({ job_id: "j-2", state: "done" })));
    assert.equal(next.jobs[0], first.jobs[0]);
    assert.equal(next.jobs[1].state, "done");
    const silent = jobs.reduceJobs(next, { type: "failed", error: new Error("network") });
    assert.deepEqual([silent.jobs, silent.readMs], [next.jobs, 5]);
    assert.equal(jobs.reduceJobs(silent, came()).error, null);
  });

  it("begins anew with the jobs of somebody else, and lets one go", () => {
    const state = jobs.reduceJobs(jobs.noJobs(), came(job()));
    const mine = jobs.reduceJobs({ ...state, offset: 50 }, { type: "mine", isMine: true });
    assert.deepEqual([mine.jobs, mine.offset, mine.isMine], [null, 0, true]);
    assert.deepEqual(jobs.reduceJobs(state, { type: "gone", jobId: "j-1" }).jobs, []);
  });

  it("says how fast it goes and how long it may take, and nothing that is not known", () => {
    assert.equal(jobs.speedText(job(), zh), "30 倍");
    assert.equal(jobs.speedText(job({ done_s: 25 }), zh), "1.3 倍");
    assert.equal(jobs.speedText(job({ done_s: 0 }), zh), "—");
    assert.equal(jobs.leftText(job(), zh), "约2分钟");
    assert.equal(jobs.leftText(job({ left_s: 12 }), zh), "约15秒");
    assert.equal(jobs.leftText(job({ left_s: null }), zh), "—");
    assert.equal(jobs.leftText(job({ state: "queued" }), zh), "—");
    assert.equal(jobs.filesText(job(), zh), "3 / 4");
    assert.equal(jobs.shareOver(job()), 0.75);
  });

  it("offers what the server would do", () => {
    assert.deepEqual([jobs.mayStop(job()), jobs.mayRetry(job())], [true, false]);
    const over = job({ state: "done", files: { total: 2, waiting: 0, done: 1, failed: 1 } });
    assert.deepEqual([jobs.mayStop(over), jobs.mayRetry(over)], [false, true]);
    assert.equal(jobs.mayRetry({ ...over, files: { total: 1, waiting: 0, done: 1, failed: 0 } }), false);
    assert.equal(jobs.mayRetry({ ...over, is_mine: false }), false);
  });

  it("tells a file that is worked on from one that waits and from one that was left", () => {
    const file = { state: "waiting", read_s: null, n_bytes: 1500, seconds: null, notes: [], error: null };
    assert.equal(jobs.fileState(file, job()), "waiting");
    assert.equal(jobs.fileState({ ...file, read_s: 3 }, job()), "work");
    assert.equal(jobs.fileState(file, job({ state: "cancelled" })), "left");
    assert.equal(jobs.fileSays(file, zh).text, "1.5\u00a0KB");
    const error = { code: "asr.file_empty", message: "这个文件是空的。" };
    assert.deepEqual(jobs.fileSays({ ...file, state: "failed", error }, zh), {
      text: "这个文件是空的。（asr.file_empty）",
      mark: "bad",
    });
    const done = { ...file, state: "done", seconds: 192, notes: [{ code: "x", message: "文件不完整。" }] };
    assert.deepEqual(jobs.fileSays(done, zh), { text: "3分12秒 · 文件不完整。", mark: "look" });
  });

  it("finds its place by the address", () => {
    assert.deepEqual(jobs.placeOf("#j-0af3/12"), { jobId: "j-0af3", file: 12 });
    assert.deepEqual(jobs.placeOf(jobs.addressOf("j-0af3")), { jobId: "j-0af3", file: null });
    for (const wrong of ["", "#", "#x", "#j-1/", "#j-1/x", "#j-1/2/3"]) {
      assert.deepEqual(jobs.placeOf(wrong), { jobId: null, file: null }, wrong);
    }
  });
});

describe("an upload", () => {
  const file = (name, size = 10) => ({ name, size, lastModified: 1 });
  const found = (path, isFromFolder = false, size = 10) => ({
    file: file(path.split("/").at(-1), size),
    path,
    isFromFolder,
  });
  const limits = { max_bytes: 100, max_files: 3, folders: [] };

  it("takes recordings of a folder, and what somebody chose by hand, each once", () => {
    const folder = ["夜班/a.wav", "夜班/b.MP3", "夜班/说明.docx", "夜班/.DS_Store"].map((path) => found(path, true));
    const chosen = uploads.addFiles(uploads.nothingChosen(), [...folder, found("c.bin"), folder[0]]);
    assert.deepEqual(
      chosen.files.map(({ path }) => path),
      ["夜班/a.wav", "夜班/b.MP3", "c.bin"],
    );
    assert.deepEqual(chosen.leftOut, ["夜班/说明.docx"]);
    assert.equal(uploads.addFiles(chosen, folder).files.length, 3);
  });

  it("is refused before it begins where the server would refuse it at the end", () => {
    const many = ["a.wav", "b.wav", "c.wav", "d.wav"].map((path) => found(path));
    assert.match(uploads.refusalOf(many, limits, zh), /共 4 个文件，一次最多 3 个/);
    assert.match(uploads.refusalOf([found("a.wav", false, 101)], limits, zh), /一次最多 0.1\u00a0KB/);
    assert.equal(uploads.refusalOf(many.slice(1), limits, zh), null);
    assert.equal(uploads.refusalOf(many, null, zh), null);
  });

  it("has a name of its own", () => {
    assert.equal(uploads.defaultName([found("夜班/a.wav"), found("夜班/x/b.wav")], zh), "夜班");
    assert.equal(uploads.defaultName([found("a.wav")], zh), "a.wav");
    assert.equal(uploads.defaultName([found("a.wav"), found("夜班/b.wav")], zh), "a.wav 等 2 个");
    const wish = { ...uploads.blankWish(), name: " 三月 " };
    assert.deepEqual(uploads.wishOf(wish, "a.wav"), {
      name: "三月",
      channels: "auto",
      left: "citizen",
      beam: 5,
      words: true,
    });
    assert.equal(uploads.wishOf(uploads.blankWish(), "a.wav").name, "a.wav");
  });

  it("never goes back, and says when the server has still to answer", () => {
    const steps = [
      { type: "began", name: "夜班", count: 2, total: 1000 },
      { type: "sent", sent: 499, total: 1000 },
      { type: "sent", sent: 300, total: 1000 },
    ];
    const half = steps.reduce(uploads.reduceSending, uploads.resting());
    assert.equal(uploads.percent(half), 49);
    assert.match(uploads.sendingText(half, zh), /49% · 0.5\u00a0KB \/ 1\u00a0KB/);
    const all = uploads.reduceSending(half, { type: "sent", sent: 1000, total: 1000 });
    assert.equal(all.phase, "waiting");
    assert.match(uploads.sendingText(all, zh), /正等服务器收下/);
    assert.equal(uploads.reduceSending(all, { type: "over" }).phase, "rest");
    const late = uploads.reduceSending(uploads.resting(), { type: "sent", sent: 5, total: 10 });
    assert.equal(late.phase, "rest");
  });

  it("reads paths a line each", () => {
    assert.deepEqual(uploads.pathsOf(" /a/b.wav \n\n/c\n"), ["/a/b.wav", "/c"]);
  });
});

describe("times of characters", () => {
  const word = (text, start_s, end_s) => ({ text, start_s, end_s, probability: 1 });
  const spread = (text, from, each) =>
    Array.from(text, (one, place) => word(one, from + place * each, from + (place + 1) * each));

  it("keeps the times of what was read as it was heard, whatever marks were added", () => {
    const { start, end } = timesOf({ text: "您好，积水。", words: spread("您好积水", 10, 1) });
    assert.deepEqual([...start], [10, 11, 12, 12, 13, 14]);
    assert.deepEqual([...end], [11, 12, 12, 13, 14, 14]);
  });

  it("shares the time of what is written otherwise", () => {
    const { start } = timesOf({ text: "一口价120元", words: spread("一口价一百二元", 0, 1) });
    assert.deepEqual([...start], [0, 1, 2, 3, 4, 5, 6]);
    const longer = timesOf({ text: "房号1208", words: spread("房号一二零八零零", 0, 1) });
    assert.deepEqual([...longer.start], [0, 1, 2, 3.5, 5, 6.5]);
  });

  it("knows words of several letters, and lines a person wrote anew", () => {
    const { start } = timesOf({ text: "OK了", words: [word(" ok", 1, 2), word("了", 2, 3)] });
    assert.deepEqual([...start], [1, 1.5, 2]);
    const anew = timesOf({ text: "完全不同", words: spread("甲乙", 4, 1) });
    assert.deepEqual([...anew.start], [4, 4.5, 5, 5.5]);
    assert.equal(timesOf({ text: "没有", words: [] }), null);
  });

  it("never goes back, so that every moment has one character", () => {
    const words = [word("积", 1, 2), word("水", 1.5, 1.8), word("了", 1.9, 3)];
    const at = timesOf({ text: "积水了", words });
    for (let place = 1; place < 3; place += 1) assert.ok(at.start[place] >= at.start[place - 1]);
    assert.equal(characterAt(at, 0.5), -1);
    assert.equal(characterAt(at, 1.2), 0);
    assert.equal(characterAt(at, 2.9), 2);
    assert.equal(characterAt(at, 3), -1);
  });

  it("steps from character to character", () => {
    const at = { start: Float64Array.of(1, 2, 3) };
    assert.equal(stepFrom(at, 1, 1), 2);
    assert.equal(stepFrom(at, 3, 1), null);
    assert.equal(stepFrom(at, 2.1, -1), 1);
    assert.equal(stepFrom(at, 2.6, -1), 2);
    assert.equal(stepFrom(at, 1, -1), null);
  });
});

describe("a transcript", () => {
  const line = (id, text, more = {}) => ({
    segment_id: id,
    text,
    start_s: 0,
    end_s: 1,
    is_unclear: false,
    corrections: [],
    words: [],
    ...more,
  });
  const paper = (...segments) => ({ type: "came", paper: { file: "a.wav", seconds: 9, notes: [], segments } });
  const after = (...events) => events.reduce(papers.reducePaper, papers.noPaper());

  it("is searched, however it is written, and gone through in a circle", () => {
    const state = after(paper(line("1", "出租车，出租车"), line("2", "坐ＯＫ出租车")), { type: "typed", query: "出租车" });
    assert.deepEqual(
      state.hits.map(({ id, start }) => [id, start]),
      [
        ["1", 0],
        ["1", 4],
        ["2", 3],
      ],
    );
    assert.equal(state.at, 0);
    const back = papers.reducePaper(state, { type: "went", by: -1 });
    assert.equal(back.at, 2);
    assert.deepEqual(papers.hitsByLine(back).get("2"), [{ start: 3, end: 6, isCurrent: true }]);
    assert.equal(after(paper(line("2", "坐ＯＫ")), { type: "typed", query: "ok" }).hits.length, 1);
    assert.deepEqual(after(paper(line("1", "甲")), { type: "typed", query: "  " }).hits, []);
  });

  it("keeps its lines and its hits when one of them is put right", () => {
    const first = after(paper(line("1", "出租车"), line("2", "出租车")), { type: "typed", query: "出租车" });
    const next = papers.reducePaper(first, paper(line("1", "公交车"), line("2", "出租车")));
    assert.equal(next.paper.segments[1], first.paper.segments[1]);
    assert.deepEqual([next.hits.length, next.at], [1, 0]);
  });

  it("is cut where something is marked", () => {
    const corrections = [{ start: 2, heard: "普托区", written: "普陀区" }];
    const hits = [{ start: 1, end: 3, isCurrent: true }];
    assert.deepEqual(papers.cutAtHits("住在普陀区", corrections, hits), [
      { text: "住", heard: null, hit: null },
      { text: "在", heard: null, hit: "current" },
      { text: "普", heard: "普托区", hit: "current" },
      { text: "陀区", heard: "普托区", hit: null },
    ]);
    assert.deepEqual(papers.cutAtHits("", [], []), []);
  });

  it("knows what is being said, also by two at once and in a pause", () => {
    const lines = [
      line("1", "甲", { start_s: 0, end_s: 4 }),
      line("2", "乙", { start_s: 3, end_s: 5 }),
      line("3", "丙", { start_s: 8, end_s: 9 }),
    ];
    assert.deepEqual(papers.spokenAt(lines, 3.5), { now: ["1", "2"], last: "2" });
    assert.deepEqual(papers.spokenAt(lines, 6), { now: [], last: "2" });
    assert.deepEqual(papers.spokenAt(lines, -1), { now: [], last: null });
  });

  it("shows what was recognised where a line was taken away", () => {
    const edit = { recognised: "嗯", author: "小王", at: "2026-03-05T10:32:00+08:00" };
    assert.equal(papers.lineState(line("1", "", { edit })), "removed");
    assert.equal(papers.shownText(line("1", "", { edit })), "嗯");
    assert.equal(papers.lineState(line("1", "您好", { edit })), "edited");
    assert.equal(papers.lineState(line("1", "您好", { is_unclear: true })), "unclear");
    assert.equal(papers.lineState(line("1", "您好")), "heard");
  });
});

describe("keys of the page of recordings", () => {
  const press = (key, more = {}) => ({
    key,
    keyCode: 0,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isInField: false,
    isOnControl: false,
    ...more,
  });

  it("play and step, and leave fields and input methods alone", () => {
    assert.equal(actionOf(press(" ")), "play");
    assert.equal(actionOf(press("ArrowLeft")), "left");
    assert.equal(actionOf(press("。")), "faster");
    for (const key of [" ", "e", "ArrowLeft", "Delete"]) assert.equal(actionOf(press(key, { isInField: true })), null);
    assert.equal(actionOf(press("F2", { isInField: true })), "again");
    assert.equal(actionOf(press("Escape", { isInField: true })), "back");
    assert.equal(actionOf(press("e", { keyCode: 229 })), null);
    assert.equal(actionOf(press("d", { ctrlKey: true })), null);
  });

  it("are all explained", () => {
    for (const [, key] of keyRows("空格")) assert.ok(zh.knows(`key.${key}`), key);
  });
});

describe("words of the page of recordings", () => {
  it("are there in both languages", () => {
    for (const words of [JOB_WORDS, UPLOAD_WORDS, PAPER_WORDS]) {
      assert.deepEqual(Object.keys(words.en).sort(), Object.keys(words["zh-CN"]).sort());
      for (const [key, text] of Object.entries(words.en)) {
        const names = (one) => (one.match(/\{\w+\}/g) ?? []).sort();
        assert.deepEqual(names(text), names(words["zh-CN"][key]), key);
      }
    }
  });
});
