/** The request for what a page missed, which is also its first poll. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CatchUp } from "../../../public/petstore/connection/catch-up.js";
import { FakeClock, fakeFetch } from "../support/fakes.mjs";

const ORIGIN = "http://127.0.0.1:3000";
const HELLO = { type: "hello", cursor: "9f2c41aa-7", heartbeat_ms: 15_000 };
const STATUS = { type: "status", cursor: "9f2c41aa-8", pet: 1, status: "eating" };

/** @param {{ firstPoll?: import("../../../public/petstore/connection/catch-up.js").FirstPoll, responseMs?: number }} [options] */
function startAsking({ firstPoll, responseMs = 0 } = {}) {
  const { asked, fetch } = fakeFetch();
  const clock = new FakeClock();
  const abort = new AbortController();
  const watch = { site: ORIGIN, pets: [] };
  const catchUp = new CatchUp({ fetch, watch, clock, nonce: () => "n1", firstPoll, responseMs: () => responseMs });
  const run = () => catchUp.run("9f2c41aa-7", abort.signal);
  return { asked, clock, abort, run, answer: run() };
}

test("catching up sends one request that does not wait, and returns its messages", async () => {
  const { asked, clock, answer } = startAsking();
  assert.equal(asked[0].url.href, `${ORIGIN}/live/poll/n1?wait=0&since=9f2c41aa-7`);
  clock.turn(80);
  const beat = { type: "heartbeat", cursor: "9f2c41aa-8" };
  asked[0].answer({ cursor: "9f2c41aa-8", messages: [HELLO, STATUS, beat, null] });
  assert.deepEqual(await answer, { hello: HELLO, messages: [STATUS, beat], roundTripMs: 80 });
  assert.equal(clock.waiting, 0);
  assert.equal(asked.length, 1);
});

test("the first answer is that of the poll that the page has sent, with its real round trip, and no later one is", async () => {
  const url = `${ORIGIN}/live/poll/page?wait=0.1&since=9f2c41aa-5`;
  const firstPoll = { url, body: Promise.resolve({ messages: [HELLO, STATUS] }) };
  const { asked, run, answer } = startAsking({ firstPoll, responseMs: 300 });
  assert.deepEqual(await answer, { hello: HELLO, messages: [STATUS], roundTripMs: 300 });
  assert.equal(asked.length, 0);
  run().catch(() => {});
  assert.equal(asked[0].url.searchParams.get("since"), "9f2c41aa-7");
});

test("the round trip does not contain the time that the server held the first poll, which it did if nothing changed", async () => {
  const url = `${ORIGIN}/live/poll/page?wait=0.1&since=9f2c41aa-7`;
  const beat = { type: "heartbeat", cursor: "9f2c41aa-7" };
  const body = Promise.resolve({ messages: [HELLO, beat] });
  const { answer } = startAsking({ firstPoll: { url, body }, responseMs: 300 });
  assert.equal((await answer).roundTripMs, 200);
});

test("catching up fails if the poll of the page failed, or does not end in time", async () => {
  const url = `${ORIGIN}/live/poll/page?wait=0&since=9f2c41aa-5`;
  await assert.rejects(startAsking({ firstPoll: { url, body: Promise.reject(new TypeError("lost")) } }).answer);
  const silent = startAsking({ firstPoll: { url, body: new Promise(() => {}) } });
  silent.clock.turn(9_000);
  await assert.rejects(silent.answer);
});

test("catching up fails if the server refuses, stops, sends something else, or does not respond in time", async () => {
  const refused = startAsking();
  refused.asked[0].refuse(503);
  await assert.rejects(refused.answer);

  const stopping = startAsking();
  stopping.asked[0].answer({ messages: [HELLO, { type: "bye", retry_ms: 100 }] });
  await assert.rejects(stopping.answer);

  const nonsense = startAsking();
  nonsense.asked[0].answer("<html>");
  await assert.rejects(nonsense.answer);

  const silent = startAsking();
  silent.clock.turn(9_000);
  await assert.rejects(silent.answer);

  const unwanted = startAsking();
  unwanted.abort.abort();
  await assert.rejects(unwanted.answer);
  assert.equal(unwanted.clock.waiting, 0);
});
