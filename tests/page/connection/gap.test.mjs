/** A link that lost a message ends before anything newer reaches the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isGap } from "../../../public/petstore/protocol/message-order.js";
import { pollOn, START, startConnection, startOnPoll } from "../support/connection.mjs";
import { last } from "../support/fakes.mjs";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */

const OTHER = "00000002";

/** After this time a page on polling tries the streams again. */
const UPGRADE_MS = 120_000;

/** @param {number | string} rev @param {string} [after] @returns {Message} */
const status = (rev, after) => ({
  ...{ type: "status", cursor: typeof rev === "string" ? rev : `9f2c41aa-${rev}`, pet: 1, status: "eating" },
  ...(after && { after }),
});

/** Starts a page on a WebSocket that has delivered hello. @param {object} [hello] */
function startOnWs(hello) {
  const parts = startConnection({ random: () => 0 });
  const [ws] = parts.made.ws;
  ws.hello(hello);
  return { ...parts, ws };
}

for (const type of ["status", "pet", "gone", "heartbeat"]) {
  test(`a ${type} after a change that never came ends the link, and is not applied`, () => {
    const { clock, made, ws, page, types } = startOnWs();
    ws.onmessage(status(2, START));
    ws.onmessage({ type, cursor: "9f2c41aa-4", after: "9f2c41aa-3", pet: 1 });
    assert.equal(ws.isOpen, false);
    assert.deepEqual(types(), ["hello", "status"]);
    assert.equal(page.cursor, "9f2c41aa-2");
    clock.turn(0);
    assert.deepEqual(last(made.sse).cause, { from: "ws", why: "gap" }, "the transport is not tried first again");
    assert.equal(last(made.sse).since, "9f2c41aa-2");
  });
}

test("a link that has been useful for long counts as failed after a gap, too", () => {
  const { clock, made, ws } = startOnWs();
  for (let second = 0; second < 60; second += 1) {
    clock.turn(1000);
    ws.onmessage({ type: "heartbeat", cursor: START, after: START });
  }
  ws.onmessage(status(3, "9f2c41aa-2"));
  clock.turn(0);
  assert.equal(last(made.sse).isOpen, true);
  assert.equal(last(made.ws).isOpen, false, "tried last");
});

test("a chain without holes is no gap, nor are revs of pets that the page does not watch", () => {
  const { ws, types } = startOnWs();
  ws.onmessage(status(2, "9f2c41aa-1"));
  ws.onmessage(status(9, "9f2c41aa-2"));
  ws.onmessage({ type: "heartbeat", cursor: "9f2c41aa-20", after: "9f2c41aa-9" });
  ws.onmessage(status(31, "9f2c41aa-9"));
  assert.deepEqual(types(), ["hello", "status", "status", "heartbeat", "status"]);
});

test("a server that names nothing before its messages works as before", () => {
  const { ws, types } = startOnWs();
  ws.onmessage(status(5));
  ws.onmessage({ type: "heartbeat", cursor: "9f2c41aa-7" });
  ws.onmessage({ type: "heartbeat" });
  assert.deepEqual(types(), ["hello", "status", "heartbeat", "heartbeat"]);
});

test("a message of another epoch without a snapshot before it is a gap, whether or not it names the change before", () => {
  for (const after of [undefined, `${OTHER}-6`]) {
    const { ws, page } = startOnWs();
    ws.onmessage(status(`${OTHER}-7`, after));
    assert.equal(ws.isOpen, false);
    assert.equal(page.cursor, START);
  }
  const { ws, page } = startOnWs();
  ws.onmessage({ type: "snapshot", cursor: `${OTHER}-6`, pets: [] });
  ws.onmessage(status(`${OTHER}-7`, `${OTHER}-6`));
  assert.equal(page.cursor, `${OTHER}-7`);
});

test("a hello of another epoch is followed by a snapshot within two seconds, or the link ends", () => {
  const lost = startOnWs({ cursor: `${OTHER}-6` });
  lost.clock.turn(1999);
  assert.equal(lost.ws.isOpen, true);
  lost.clock.turn(1);
  assert.equal(lost.ws.isOpen, false);

  const slow = startOnWs({ cursor: `${OTHER}-6` });
  for (const part of [1, 2, 3]) {
    slow.clock.turn(1900);
    slow.ws.onmessage({ type: "snapshot", cursor: `${OTHER}-6`, part, parts: 3, pets: [] });
  }
  slow.clock.turn(5000);
  assert.equal(slow.ws.isOpen, true, "each part restarts the time");
  assert.equal(slow.page.cursor, `${OTHER}-6`);
});

test("a snapshot of which a part is missing is a gap with the next message", () => {
  const { ws, page } = startOnWs();
  for (const part of [1, 3]) ws.onmessage({ type: "snapshot", cursor: "9f2c41aa-8", part, parts: 3, pets: [] });
  ws.onmessage(status(9, "9f2c41aa-8"));
  assert.equal(ws.isOpen, false);
  assert.equal(page.cursor, START);
});

test("a candidate that is ahead of the page, or of which the page has more, has no gap", async () => {
  const parts = await startOnPoll();
  const { made, page, messages } = parts;
  const [poll] = made.poll;
  pollOn(parts, UPGRADE_MS);
  last(made.ws).hello();
  const ws = last(made.ws);
  ws.onmessage(status(2, "9f2c41aa-1"));
  ws.onmessage(status(3, "9f2c41aa-2"));
  poll.onmessage(status(2, "9f2c41aa-1"));
  poll.onmessage(status(3, "9f2c41aa-2"));
  poll.onmessage(status(4, "9f2c41aa-3"));
  ws.onmessage(status(4, "9f2c41aa-3"));
  ws.onmessage(status(5, "9f2c41aa-4"));
  assert.deepEqual([ws.isOpen, poll.isOpen], [true, true]);
  assert.equal(page.cursor, "9f2c41aa-5");
  assert.equal(messages.filter(({ type }) => type === "status").length, 4);
});

test("a candidate that loses what the page receives over its own link does not replace it", async () => {
  const parts = await startOnPoll();
  const { clock, made, inUse } = parts;
  const [poll] = made.poll;
  pollOn(parts, UPGRADE_MS);
  const ws = last(made.ws);
  ws.hello();
  poll.onmessage(status(2, "9f2c41aa-1"));
  ws.onmessage(status(3, "9f2c41aa-2"));
  assert.equal(ws.isOpen, false);
  clock.turn(7_000);
  assert.equal(inUse(), "poll");
});

test("only changes and heartbeats are part of the chain", () => {
  for (const type of ["hello", "snapshot", "bye", "stale", "ack", "error", "new"]) {
    assert.equal(isGap({ type, cursor: `${OTHER}-1`, after: `${OTHER}-1` }, START), false, type);
  }
  assert.equal(isGap(status(1, "9f2c41aa-0"), ""), true, "nothing is known before the first snapshot");
  assert.equal(isGap({ ...status(2), after: "rubbish" }, START), false);
});
