// Sound on its way from a microphone to the server: resampling, framing, keeping, and the line that breaks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { DICTIONARIES, wordsOf } from "../../agent_ui/static/js/i18n.js";
import { createFramer, judgeLevel, levelDb, toPcm16 } from "../../agent_ui/static/js/try/framing.js";
import { openLine } from "../../agent_ui/static/js/try/line.js";
import { createOutbox } from "../../agent_ui/static/js/try/outbox.js";
import { createResampler } from "../../agent_ui/static/js/try/resample.js";
import { sentenceOf } from "../../agent_ui/static/js/try/sentences.js";
import { TRY_WORDS } from "../../agent_ui/static/js/try/words.js";

const sine = (hz, rateHz, count) =>
  Float32Array.from({ length: count }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rateHz));

function resampled(samples, fromHz, toHz, pieces = 777) {
  const resampler = createResampler(fromHz, toHz);
  const out = [];
  for (let n = 0; n < samples.length; n += pieces) out.push(...resampler.push(samples.subarray(n, n + pieces)));
  out.push(...resampler.flush());
  return Float32Array.from(out);
}

describe("resampling", () => {
  for (const fromHz of [48_000, 44_100, 96_000, 8_000, 16_000]) {
    test(`a sine from ${fromHz} Hz stays that sine, as long as it was`, () => {
      const out = resampled(sine(1_000, fromHz, fromHz), fromHz, 16_000);
      assert.equal(out.length, 16_000);
      const wanted = sine(1_000, 16_000, 16_000);
      for (let n = 200; n < 15_800; n += 1) assert.ok(Math.abs(out[n] - wanted[n]) < 1e-3, `${n}`);
    });
  }

  test("what 16 kHz cannot hold is gone instead of folded back", () => {
    for (const hz of [8_500, 9_500, 12_000, 20_000]) {
      const out = resampled(sine(hz, 48_000, 48_000), 48_000, 16_000).subarray(200, 15_800);
      assert.ok(levelDb(out) < -70, `${hz} Hz: ${levelDb(out)} dB`);
    }
  });

  test("the size of the blocks changes nothing, and odd lengths are rounded once", () => {
    const noise = Float32Array.from({ length: 44_117 }, (_, n) => Math.sin(n * n));
    const whole = resampled(noise, 44_100, 16_000, 1e6);
    assert.equal(whole.length, Math.round((44_117 * 160) / 441));
    assert.deepEqual(resampled(noise, 44_100, 16_000, 128), whole);
    assert.equal(resampled(new Float32Array(0), 48_000, 16_000).length, 0);
  });
});

describe("frames and levels", () => {
  test("samples are clipped, frames are whole, the rest comes last", () => {
    assert.deepEqual([...toPcm16(Float32Array.of(0, 0.5, 1, 2, -1, -2))], [0, 16384, 32767, 32767, -32768, -32768]);
    const framer = createFramer(4);
    assert.deepEqual(framer.push(Int16Array.of(1, 2, 3)), []);
    assert.deepEqual(framer.push(Int16Array.of(4, 5, 6, 7, 8, 9)).map((f) => [...f]), [[1, 2, 3, 4], [5, 6, 7, 8]]);
    assert.deepEqual(framer.flush().map((f) => [...f]), [[9]]);
    assert.deepEqual(framer.flush(), []);
  });

  test("a level is a word", () => {
    assert.deepEqual([-100, -50, -20, -3].map(judgeLevel), ["silent", "quiet", "good", "loud"]);
    assert.ok(Math.abs(levelDb(sine(100, 16_000, 16_000)) - -9.03) < 0.1);
  });
});

const drain = (outbox) => {
  const all = [];
  for (let next = outbox.next(); next !== null; next = outbox.next()) all.push(...next);
  return all;
};

describe("the outbox", () => {
  test("sound is sent once, and again from where the server lost it", () => {
    const outbox = createOutbox();
    outbox.add(Int16Array.of(1, 2, 3));
    outbox.add(Int16Array.of(4, 5));
    assert.deepEqual(drain(outbox), [1, 2, 3, 4, 5]);
    outbox.rewind(2);
    outbox.add(Int16Array.of(6));
    assert.deepEqual(drain(outbox), [3, 4, 5, 6]);
    assert.equal(outbox.lostSamples, 0);
  });

  test("past its bound the oldest becomes silence, and that is counted", () => {
    const outbox = createOutbox({ maxSamples: 4 });
    for (const value of [1, 2, 3, 4]) outbox.add(Int16Array.of(value, value));
    assert.equal(outbox.lostSamples, 4);
    assert.deepEqual(drain(outbox), [0, 0, 0, 0, 3, 3, 4, 4]);
    assert.equal(outbox.lostSamples, 4);
  });
});

class FakeSocket {
  static all = [];
  readyState = 1;
  bufferedAmount = 0;
  sent = [];
  constructor() {
    FakeSocket.all.push(this);
  }
  send(data) {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : [...data]);
  }
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  close() {}
}

function opened() {
  FakeSocket.all = [];
  const states = [];
  const outbox = createOutbox();
  const line = openLine({
    address: () => "ws://x",
    start: { type: "start" },
    outbox,
    onState: (state) => states.push(state),
    Socket: FakeSocket,
  });
  return { states, outbox, line, names: () => states.map(({ name }) => name) };
}

describe("the line", () => {
  test("what was spoken before it opened is sent, then pause and stop in their order", () => {
    const { outbox, line, names } = opened();
    const [socket] = FakeSocket.all;
    outbox.add(Int16Array.of(1));
    line.push();
    assert.deepEqual(socket.sent, []);
    socket.onopen();
    socket.say({ type: "started", call_id: "c", received_s: 0 });
    outbox.add(Int16Array.of(2));
    line.pause(true);
    line.pause(false);
    line.stop();
    socket.say({ type: "ended", seconds: 1 });
    assert.deepEqual(socket.sent, [
      { type: "start" },
      [1],
      [2],
      { type: "pause" },
      { type: "unpause" },
      { type: "stop" },
    ]);
    assert.deepEqual(names(), ["connecting", "live", "ending", "ended"]);
  });

  test("a broken line is taken up where the server's copy ends; a pause goes on", async () => {
    const { outbox, line, names } = opened();
    const [first] = FakeSocket.all;
    first.onopen();
    first.say({ type: "started", call_id: "c", received_s: 0 });
    outbox.add(new Int16Array(1600).fill(7));
    line.push();
    line.pause(true);
    first.onclose({ code: 1006 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const [, second] = FakeSocket.all;
    second.onopen();
    second.say({ type: "started", call_id: "c", received_s: 0.05 });
    assert.deepEqual(second.sent[0], { type: "start", call_id: "c", reconnect: true, buffered: true });
    assert.equal(second.sent[1].length, 800);
    assert.deepEqual(second.sent[2], { type: "pause" });
    assert.deepEqual(names(), ["connecting", "live", "waiting", "live"]);
    line.abandon();
  });

  test("a refusal is told with its code and not tried again", () => {
    for (const [say, close, code] of [
      [{ type: "error", code: "call.refused", message: "满", recoverable: false }, 1013, "call.refused"],
      [null, 4401, "access.unauthorised"],
      [null, 1006, "network"],
    ]) {
      const { states } = opened();
      const [socket] = FakeSocket.all;
      if (say) socket.say(say);
      socket.onclose({ code: close });
      assert.equal(states.at(-1).name, "failed");
      assert.equal(states.at(-1).code, code);
      assert.equal(FakeSocket.all.length, 1);
    }
  });
});

test("both languages are complete and none of the desk's words is taken", () => {
  const [zh, en] = [TRY_WORDS["zh-CN"], TRY_WORDS.en];
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const key of Object.keys(zh)) {
    assert.ok(!(key in DICTIONARIES.en), key);
    assert.deepEqual(zh[key].match(/\{\w+\}/g), en[key].match(/\{\w+\}/g), key);
  }
  const t = wordsOf("zh-CN", TRY_WORDS);
  assert.match(sentenceOf("mic", { code: "mic.refused" }, t), /Edge/);
  assert.equal(sentenceOf("mic", { code: "call.refused", message: "满了" }, t), "满了");
  assert.equal(sentenceOf("file", { code: "x.y", message: "坏了。" }, t), "坏了。（x.y）");
});
