/** The transports: one shape, and what is particular to each. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { fake, FakeClock, fakeEventSource, fakeFetch, fakeWebSocket, last, settle } from "../support/fakes.mjs";
import { WebSocketTransport } from "../../../public/petstore/transports/websocket.js";
import { SseTransport } from "../../../public/petstore/transports/sse.js";
import { LongPollTransport } from "../../../public/petstore/transports/long-poll.js";
import { ShortPollTransport } from "../../../public/petstore/transports/short-poll.js";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Switch, Transport } from "../../../public/petstore/transports/transport.js" */

const WATCH = { origin: "https://rescue.example", pets: ["7", "8"] };
const HELLO = { type: "hello", cursor: "9f2c41aa-1", heartbeat_ms: 15_000 };

/**
 * Opens a transport and records what it reports.
 * @param {Transport} transport
 * @param {string} [since]
 * @param {Switch} [cause]
 */
function listen(transport, since = "9f2c41aa-1", cause) {
  /** @type {string[]} */
  const said = [];
  /** @type {unknown[]} */
  const states = [];
  transport.onmessage = (message) => void said.push(message.type);
  transport.onstate = (state, info) => void states.push(info ? [state, info] : state);
  transport.open(since, cause);
  return { said, states };
}

function openWs() {
  const clock = new FakeClock();
  const { made, WebSocket } = fakeWebSocket();
  const transport = new WebSocketTransport({ WebSocket, watch: WATCH, clock });
  return { clock, transport, made, ...listen(transport) };
}

function openSse() {
  const { made, EventSource } = fakeEventSource();
  const transport = new SseTransport({ EventSource, watch: WATCH });
  return { transport, made, ...listen(transport) };
}

function openPoll() {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const transport = new LongPollTransport({ fetch, watch: WATCH, clock });
  return { transport, clock, asked, ...listen(transport) };
}

test("the URL has the cursor and every pet, and the scheme of a WebSocket is wss", () => {
  assert.equal(openWs().made[0].url, "wss://rescue.example/live/ws?parts=1&since=9f2c41aa-1&pet=7&pet=8");
  assert.equal(openSse().made[0].url, "https://rescue.example/live/sse?parts=1&since=9f2c41aa-1&pet=7&pet=8");
});

test("without a cursor the URL has none", () => {
  const { made, WebSocket } = fakeWebSocket();
  new WebSocketTransport({ WebSocket, watch: { ...WATCH, pets: [] }, clock: new FakeClock() }).open("");
  assert.equal(made[0].url, "wss://rescue.example/live/ws?parts=1");
});

test("a text frame is a message, unless it is not JSON", () => {
  const { made, said, states } = openWs();
  made[0].open();
  made[0].receive(HELLO);
  made[0].receive("<html>Sign in</html>");
  made[0].receive("null");
  assert.deepEqual(said, ["hello"]);
  assert.deepEqual(states, ["open"]);
});

test("a WebSocket that closes reports it once", () => {
  const { made, states } = openWs();
  made[0].drop();
  assert.deepEqual(states, ["closed"]);
});

test("a WebSocket that the page closed reports nothing more", () => {
  const { transport, made, said, states } = openWs();
  made[0].open();
  transport.close();
  assert.equal(made[0].readyState, 3);
  made[0].receive(HELLO);
  made[0].drop();
  assert.deepEqual([said, states], [[], ["open"]]);
});

test("a WebSocket that is closed while connecting is closed once it is open, so that no browser logs an error", () => {
  const { clock, transport, made, said, states } = openWs();
  transport.close();
  assert.equal(made[0].readyState, 0);
  made[0].open();
  assert.equal(made[0].readyState, 3);
  made[0].receive(HELLO);
  assert.deepEqual([said, states, clock.waiting], [[], [], 0]);
});

test("a WebSocket that never opens is closed after three seconds: it would block the next one", () => {
  const { clock, transport, made } = openWs();
  transport.close();
  clock.turn(2999);
  assert.equal(made[0].readyState, 0);
  clock.turn(1);
  assert.equal(made[0].readyState, 3);
});

test("a simulated network and a switch are part of the URL", () => {
  const watch = { origin: "https://rescue.example", pets: [], chaos: "hold" };
  /** @type {Switch} */
  const cause = { from: "ws", why: "silent" };
  const { made, EventSource } = fakeEventSource();
  listen(new SseTransport({ EventSource, watch }), "9f2c41aa-1", cause);
  assert.equal(made[0].url, "https://rescue.example/live/sse?parts=1&from=ws&why=silent&since=9f2c41aa-1&chaos=hold");
  const sockets = fakeWebSocket();
  listen(new WebSocketTransport({ WebSocket: sockets.WebSocket, watch, clock: new FakeClock() }), "", cause);
  assert.equal(sockets.made[0].url, "wss://rescue.example/live/ws?parts=1&from=ws&why=silent&chaos=hold");
});

test("without WebSocket or EventSource the transport fails, without an error", () => {
  assert.deepEqual(listen(new WebSocketTransport({ WebSocket: fake(undefined), watch: WATCH, clock: new FakeClock() })).states, ["closed"]);
  assert.deepEqual(listen(new SseTransport({ EventSource: fake(undefined), watch: WATCH })).states, ["closed"]);
});

test("a command is sent over an open WebSocket and refused on a closed one", () => {
  const { transport, made } = openWs();
  const command = { do: "set-status", pet: 7, status: "eating", ref: "a1" };
  assert.equal(transport.send(command), false);
  made[0].open();
  assert.equal(transport.send(command), true);
  assert.deepEqual(made[0].sent, [JSON.stringify(command)]);
});

test("SSE listens to every named event", () => {
  const { made, said } = openSse();
  const types = ["hello", "snapshot", "status", "pet", "gone", "heartbeat", "bye", "stale"];
  for (const type of types) made[0].receive({ type });
  assert.deepEqual(said, types);
});

test("SSE is closed on the first error, so that the browser does not reconnect by itself", () => {
  const { made, states } = openSse();
  made[0].onerror?.({});
  assert.equal(made[0].isClosed, true);
  assert.deepEqual(states, ["closed"]);
});

test("an event that was on its way when SSE was closed is dropped", () => {
  const { transport, made, said, states } = openSse();
  transport.close();
  made[0].receive(HELLO);
  made[0].onerror?.({});
  assert.deepEqual([said, states], [[], []]);
});

test("the first poll does not wait", () => {
  const { asked } = openPoll();
  assert.equal(asked[0].url.pathname, "/live/poll");
  assert.equal(asked[0].url.searchParams.get("wait"), "0");
  assert.equal(asked[0].url.searchParams.get("since"), "9f2c41aa-1");
  assert.deepEqual(asked[0].url.searchParams.getAll("pet"), ["7", "8"]);
});

test("the next poll waits a heartbeat and starts at the cursor of the response", async () => {
  const { asked, clock, said } = openPoll();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO, { type: "status" }] });
  await settle();
  clock.turn(500);
  await settle();
  assert.deepEqual(said, ["hello", "status"]);
  assert.equal(asked[1].url.searchParams.get("wait"), "15");
  assert.equal(asked[1].url.searchParams.get("since"), "9f2c41aa-5");
});

test("a switch is sent with the first request only", async () => {
  const { asked, fetch } = fakeFetch();
  const clock = new FakeClock();
  listen(new LongPollTransport({ fetch, watch: WATCH, clock }), "9f2c41aa-1", { from: "sse", why: "lag" });
  assert.equal(asked[0].url.searchParams.get("from"), "sse");
  assert.equal(asked[0].url.searchParams.get("why"), "lag");
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  clock.turn(500);
  await settle();
  assert.equal(asked[1].url.searchParams.has("from"), false);
  assert.equal(asked[1].url.searchParams.has("why"), false);
});

test("a poll reports its round trip", async () => {
  const { transport, asked, clock } = openPoll();
  clock.turn(120);
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  assert.equal(transport.roundTripMs, 120);
});

test("a poll never waits longer than the server allows", async () => {
  const { asked, clock } = openPoll();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [{ ...HELLO, heartbeat_ms: 60_000 }] });
  await settle();
  clock.turn(500);
  await settle();
  assert.equal(asked[1].url.searchParams.get("wait"), "25");
});

test("immediate responses do not flood the server with requests", async () => {
  const { asked, clock } = openPoll();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  clock.turn(499);
  await settle();
  assert.equal(asked.length, 1);
  clock.turn(1);
  await settle();
  assert.equal(asked.length, 2);
});

test("many requests leave no listeners behind", async () => {
  for (const { asked, clock, transport } of [openPoll(), openShort()]) {
    const { signal } = asked[0];
    for (let round = 0; round < 50; round += 1) {
      asked[round].answer(transport.name === "poll" ? { cursor: "9f2c41aa-5", messages: [HELLO] } : SNAPSHOT);
      await settle();
      clock.turn(10_000);
      await settle();
    }
    assert.equal(asked.length, 51);
    assert.equal(getEventListeners(signal, "abort").length, 1, "that of the open question");
  }
});

test("a response after a long wait is followed by the next request immediately", async () => {
  const { asked, clock } = openPoll();
  clock.turn(15_000);
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  assert.equal(asked.length, 2);
});

test("closing a poll aborts the open request silently", async () => {
  const { transport, asked, said, states } = openPoll();
  transport.close();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  assert.equal(asked[0].signal.aborted, true);
  assert.deepEqual([said, states], [[], []]);
});

test("a poll that is closed between two requests sends no other", async () => {
  const { transport, asked, clock } = openPoll();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO] });
  await settle();
  transport.close();
  assert.equal(clock.waiting, 0);
  clock.turn(60_000);
  await settle();
  assert.equal(asked.length, 1);
});

test("the rest of a response is dropped once a handler has closed the poll", async () => {
  const { transport, asked } = openPoll();
  /** @type {string[]} */
  const said = [];
  transport.onmessage = ({ type }) => {
    said.push(type);
    transport.close();
  };
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO, { type: "status" }] });
  await settle();
  assert.deepEqual(said, ["hello"]);
});

test("a refused poll ends with the seconds of Retry-After", async () => {
  const { asked, states } = openPoll();
  asked[0].refuse(503, { "retry-after": "7" });
  await settle();
  assert.deepEqual(states, [["closed", { retryMs: 7000 }]]);
});

test("a refused poll without Retry-After in seconds ends without a retry time", async () => {
  /** @type {Record<string, string>[]} */
  const cases = [{}, { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }];
  for (const headers of cases) {
    const { asked, states } = openPoll();
    asked[0].refuse(500, headers);
    await settle();
    assert.deepEqual(states, [["closed", { retryMs: undefined }]]);
  }
});

test("a poll that fails, or gets a portal's page, ends", async () => {
  const failed = openPoll();
  failed.asked[0].fail();
  const portal = openPoll();
  portal.asked[0].answer("<html>");
  await settle();
  assert.equal(failed.states.length, 1);
  assert.equal(portal.states.length, 1);
});

test("a poll that received bye sends no further request", async () => {
  const { asked, clock, said, states } = openPoll();
  asked[0].answer({ cursor: "9f2c41aa-5", messages: [HELLO, { type: "bye", reason: "stopping", retry_ms: 900 }] });
  await settle();
  clock.turn(60_000);
  await settle();
  assert.deepEqual(said, ["hello", "bye"]);
  assert.deepEqual(states, ["open", ["closed", { retryMs: 900 }]]);
  assert.equal(asked.length, 1);
});

const SNAPSHOT = { type: "snapshot", cursor: "9f2c41aa-5", pets: [] };

/** @param {{ since?: string, cause?: Switch }} [options] */
function openShort({ since, cause } = {}) {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const saving = { isOn: false };
  const transport = new ShortPollTransport({ fetch, watch: WATCH, clock, savesData: () => saving.isOn });
  /** @type {Message[]} */
  const received = [];
  const listening = listen(transport, since, cause);
  const deliver = transport.onmessage;
  transport.onmessage = (message) => (received.push(message), deliver(message));
  return { transport, clock, asked, saving, received, ...listening };
}

test("short polling requests the board, unless it has not changed", async () => {
  const { asked, received } = openShort({ cause: { from: "poll", why: "died" } });
  assert.equal(asked[0].url.pathname, "/live/state");
  assert.equal(asked[0].url.search, "?transport=short&from=poll&why=died&since=9f2c41aa-1&pet=7&pet=8");
  assert.equal(asked[0].headers["if-none-match"], '"9f2c41aa-1"');
  asked[0].refuse(304);
  await settle();
  assert.deepEqual(received, [
    { type: "hello", cursor: "9f2c41aa-1", transport: "short", heartbeat_ms: 6000 },
    { type: "heartbeat", cursor: "9f2c41aa-1" },
  ]);
});

test("short polling passes a new board on, and sends its ETag three seconds later", async () => {
  const { asked, clock, said, states } = openShort();
  asked[0].answer(SNAPSHOT, { etag: 'W/"9f2c41aa-5"' });
  await settle();
  assert.deepEqual(said, ["hello", "snapshot"]);
  clock.turn(2999);
  await settle();
  assert.equal(asked.length, 1);
  clock.turn(1);
  await settle();
  assert.equal(asked[1].url.search, "?transport=short&since=9f2c41aa-5&pet=7&pet=8");
  assert.equal(asked[1].headers["if-none-match"], 'W/"9f2c41aa-5"');
  asked[1].fail();
  await settle();
  assert.deepEqual(last(states), ["closed", {}]);
});

test("short polling keeps the board when a server is behind it", async () => {
  const { asked, clock, received } = openShort();
  asked[0].answer({ type: "stale", since: "2026-01-01T00:00:00Z" });
  await settle();
  assert.deepEqual(received[1], { type: "stale", since: "2026-01-01T00:00:00Z" });
  clock.turn(3000);
  await settle();
  assert.equal(asked[1].headers["if-none-match"], '"9f2c41aa-1"', "it continues from its cursor");
});

test("short polling without a cursor requests any board", () => {
  const { asked } = openShort({ since: "" });
  assert.equal("if-none-match" in asked[0].headers, false);
});

test("short polling waits ten seconds if the browser saves data, and says so", async () => {
  const { asked, clock, saving, received } = openShort();
  saving.isOn = true;
  asked[0].answer(SNAPSHOT);
  await settle();
  assert.equal(received[0].heartbeat_ms, 20_000);
  clock.turn(9999);
  await settle();
  assert.equal(asked.length, 1);
  clock.turn(1);
  await settle();
  assert.equal(asked.length, 2);
});

test("short polling ends after a refusal, with the server's retry time, and after anything but a board", async () => {
  const refused = openShort();
  refused.asked[0].refuse(503, { "retry-after": "7" });
  const portal = openShort();
  portal.asked[0].answer({ type: "hello" });
  await settle();
  assert.deepEqual(refused.states, [["closed", { retryMs: 7000 }]]);
  assert.deepEqual(portal.states, [["closed", {}]]);
});
