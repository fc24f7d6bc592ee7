// Pages that the server wants to ask more slowly.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { askPatiently, pause, waitS } from "../../agent_ui/static/js/patience.js";

const refused = (code, retryAfter = "3") =>
  new Response(JSON.stringify({ detail: { code, message: "请求太频繁，请在 3 秒后再试。" } }), {
    status: 429,
    headers: { "Retry-After": retryAfter },
  });

/** Answers in turn, and what was done meanwhile. */
function scripted(...answers) {
  const done = [];
  const how = {
    pause: async (seconds) => done.push(seconds >= 3 && seconds <= 3.75 ? "waits" : seconds),
    say: () => {
      done.push("says");
      return () => done.push("takes it off");
    },
  };
  return { done, how, ask: async () => answers.shift() };
}

describe("asked too often", () => {
  test("the page waits as long as it is told, says so once, and asks again", async () => {
    const { ask, how, done } = scripted(refused("rate.limited"), refused("rate.limited"), new Response("ok"));
    const answer = await askPatiently(ask, how);
    assert.equal(await answer.text(), "ok");
    assert.deepEqual(done, ["says", "waits", "waits", "takes it off"]);
  });

  test("nothing is said where all is well", async () => {
    const { ask, how, done } = scripted(new Response("ok"));
    assert.equal((await askPatiently(ask, how)).status, 200);
    assert.deepEqual(done, []);
  });

  test("too many wrong passwords, or too many jobs, are for the person to read", async () => {
    const { ask, how, done } = scripted(refused("access.too_many_attempts"));
    const answer = await askPatiently(ask, how);
    assert.equal((await answer.json()).detail.code, "access.too_many_attempts"); // and can still be read
    assert.deepEqual(done, []);
  });

  test("it does not go on for ever", async () => {
    const { ask, how, done } = scripted(...Array.from({ length: 9 }, () => refused("rate.limited")));
    assert.equal((await askPatiently(ask, how)).status, 429);
    assert.equal(done.filter((one) => one === "waits").length, 4);
    assert.equal(done.at(-1), "takes it off");
  });

  test("how long", () => {
    const told = { status: 429, code: "rate.limited", retryAfter: "8" };
    assert.equal(waitS(told, 1, 0), 8);
    assert.equal(waitS(told, 1, 0.5), 9);
    assert.equal(waitS({ ...told, retryAfter: "7200" }, 1, 0), 60);
    assert.equal(waitS({ ...told, retryAfter: null }, 1, 0), 1);
    assert.equal(waitS({ ...told, status: 503 }, 1, 0), null);
    assert.equal(waitS(told, 5, 0), null);
  });

  test("whoever does not want the answer any more does not wait for it", async () => {
    const giving = new AbortController();
    const { ask, done } = scripted(refused("rate.limited"), new Response("ok"));
    const how = {
      pause: (seconds) => pause(seconds, giving.signal),
      say: () => {
        giving.abort();
        return () => done.push("takes it off");
      },
    };
    await assert.rejects(askPatiently(ask, how), { name: "AbortError" });
    assert.deepEqual(done, ["takes it off"]);
    await assert.rejects(pause(60, giving.signal), { name: "AbortError" });
    await pause(0.001, new AbortController().signal);
  });
});
