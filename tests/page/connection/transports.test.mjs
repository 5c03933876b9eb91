/** The transports: one shape, and what is particular to each. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { fake, FakeClock, fakeEventSource, fakeFetch, fakeWebSocket, last, settle } from "../support/fakes.mjs";
import { WebSocketTransport } from "../../../public/petstore/transports/websocket.js";
import { SseTransport } from "../../../public/petstore/transports/sse.js";
import { HeartbeatInterval } from "../../../public/petstore/connection/heartbeat-interval.js";
import { PollingTransport } from "../../../public/petstore/transports/polling.js";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Switch, Transport } from "../../../public/petstore/transports/transport.js" */

const WATCH = { site: "https://rescue.example", pets: ["7", "8"] };
const heartbeat = new HeartbeatInterval({ clock: new FakeClock(), isHidden: () => false });
const HELLO = { type: "hello", cursor: "9f2c41aa-1", heartbeat_ms: 15_000 };

/**
 * Opens a transport and records what it reports.
 * @param {Transport} transport
 * @param {string} [since]
 * @param {Switch} [cause]
 * @param {Message} [hello]
 */
function listen(transport, since = "9f2c41aa-1", cause, hello) {
  /** @type {string[]} */
  const said = [];
  /** @type {unknown[]} */
  const states = [];
  transport.onmessage = (message) => void said.push(message.type);
  transport.onstate = (state, info) => void states.push(info ? [state, info] : state);
  transport.open(since, cause, hello);
  return { said, states };
}

function openWs() {
  const clock = new FakeClock();
  const { made, WebSocket } = fakeWebSocket();
  const transport = new WebSocketTransport({ WebSocket, watch: WATCH, clock, heartbeat });
  return { clock, transport, made, ...listen(transport) };
}

function openSse() {
  const { made, EventSource } = fakeEventSource();
  const transport = new SseTransport({ EventSource, watch: WATCH, heartbeat });
  return { transport, made, ...listen(transport) };
}

/** @param {{ name?: "poll" | "short", since?: string, cause?: Switch, hello?: Message }} [options] */
function openPoll({ name = "poll", since = "9f2c41aa-1", cause, hello } = {}) {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const saving = { isOn: false };
  let words = 0;
  const nonce = () => `n${(words += 1)}`;
  const transport = new PollingTransport(name, { fetch, watch: WATCH, clock, nonce, heartbeat, savesData: () => saving.isOn });
  /** @type {Message[]} */
  const received = [];
  const listening = listen(transport, since, cause, hello);
  const deliver = transport.onmessage;
  transport.onmessage = (message) => (received.push(message), deliver(message));
  /** Answers the newest request, and lets this time pass. */
  const answer = async (/** @type {object[]} */ messages, cursor = "9f2c41aa-5", ms = 0) => {
    last(asked).answer({ cursor, messages });
    await settle();
    clock.turn(ms);
    await settle();
  };
  return { transport, clock, asked, saving, received, answer, ...listening };
}

test("the URL has the cursor and every pet, and the scheme of a WebSocket is wss", () => {
  assert.equal(openWs().made[0].url, "wss://rescue.example/live/ws?parts=1&heartbeat=5&since=9f2c41aa-1&pet=7&pet=8");
  assert.equal(openSse().made[0].url, "https://rescue.example/live/sse?parts=1&heartbeat=5&since=9f2c41aa-1&pet=7&pet=8");
});

test("without a cursor the URL has none", () => {
  const { made, WebSocket } = fakeWebSocket();
  new WebSocketTransport({ WebSocket, watch: { ...WATCH, pets: [] }, clock: new FakeClock(), heartbeat }).open("");
  assert.equal(made[0].url, "wss://rescue.example/live/ws?parts=1&heartbeat=5");
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
  const watch = { site: "https://rescue.example", pets: [], chaos: "hold" };
  /** @type {Switch} */
  const cause = { from: "ws", why: "silent" };
  const { made, EventSource } = fakeEventSource();
  listen(new SseTransport({ EventSource, watch, heartbeat }), "9f2c41aa-1", cause);
  assert.equal(made[0].url, "https://rescue.example/live/sse?parts=1&heartbeat=5&from=ws&why=silent&since=9f2c41aa-1&chaos=hold");
  const sockets = fakeWebSocket();
  listen(new WebSocketTransport({ WebSocket: sockets.WebSocket, watch, clock: new FakeClock(), heartbeat }), "", cause);
  assert.equal(sockets.made[0].url, "wss://rescue.example/live/ws?parts=1&heartbeat=5&from=ws&why=silent&chaos=hold");
});

test("without WebSocket or EventSource the transport fails, without an error", () => {
  assert.deepEqual(listen(new WebSocketTransport({ WebSocket: fake(undefined), watch: WATCH, clock: new FakeClock(), heartbeat })).states, ["closed"]);
  assert.deepEqual(listen(new SseTransport({ EventSource: fake(undefined), watch: WATCH, heartbeat })).states, ["closed"]);
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

test("the first poll does not wait, unless the page has a hello", () => {
  const { asked } = openPoll();
  assert.equal(asked[0].url.pathname, "/live/poll/n1");
  assert.equal(asked[0].url.search, "?wait=0&log=1&heartbeat=5&since=9f2c41aa-1&pet=7&pet=8");
  assert.equal(openPoll({ hello: HELLO }).asked[0].url.searchParams.get("wait"), "15");
});

test("the next poll waits a heartbeat and starts at the cursor of the response", async () => {
  const { asked, answer, said } = openPoll();
  await answer([HELLO, { type: "status" }]);
  assert.deepEqual(said, ["hello", "status"]);
  assert.equal(asked[1].url.searchParams.get("wait"), "15");
  assert.equal(asked[1].url.searchParams.get("since"), "9f2c41aa-5");
});

test("a switch is sent with the first request only", async () => {
  const { asked, answer } = openPoll({ cause: { from: "sse", why: "lag" } });
  assert.equal(asked[0].url.searchParams.get("from"), "sse");
  assert.equal(asked[0].url.searchParams.get("why"), "lag");
  await answer([HELLO]);
  assert.equal(asked[1].url.searchParams.has("from"), false);
  assert.equal(asked[1].url.searchParams.has("why"), false);
});

test("a poll reports its round trip", async () => {
  const { transport, answer, clock } = openPoll();
  clock.turn(120);
  await answer([HELLO]);
  assert.equal(transport.roundTripMs, 120);
});

test("a poll never waits longer than the server allows", async () => {
  const { asked, answer } = openPoll();
  await answer([{ ...HELLO, heartbeat_ms: 60_000 }]);
  assert.equal(asked[1].url.searchParams.get("wait"), "25");
});

test("every request has its own path, and no header that needs a preflight", async () => {
  for (const name of /** @type {const} */ (["poll", "short"])) {
    const { asked, answer } = openPoll({ name });
    await answer([HELLO], undefined, 3000);
    await answer([HELLO], undefined, 3000);
    assert.deepEqual(asked.map(({ url }) => url.pathname), ["/live/poll/n1", "/live/poll/n2", "/live/poll/n3"]);
    assert.deepEqual(Object.keys(asked[1].headers), ["accept"]);
  }
});

for (const name of /** @type {const} */ (["poll", "short"])) {
  test(`${name}: a response that is repeated is no sign of life, and ends the transport`, async () => {
    const { asked, answer, said, states } = openPoll({ name });
    const body = [{ ...HELLO, server_time: "2026-01-01T00:00:00.000Z" }, { type: "heartbeat", cursor: "9f2c41aa-5" }];
    await answer(body, undefined, 3000);
    await answer([{ ...HELLO, server_time: "2026-01-01T00:00:03.000Z" }], undefined, 3000);
    assert.equal(asked.length, 3);
    await answer([{ ...HELLO, server_time: "2026-01-01T00:00:03.000Z" }], undefined, 3000);
    assert.deepEqual(said, ["hello", "heartbeat", "hello"]);
    assert.deepEqual(last(states), ["closed", { retryMs: undefined }]);
  });
}

test("a response that is older than its request ends the transport, unless a snapshot leads back", async () => {
  const old = openPoll();
  await old.answer([HELLO], "9f2c41aa-0");
  assert.deepEqual([old.said, old.states], [[], [["closed", { retryMs: undefined }]]]);
  const restored = openPoll();
  await restored.answer([HELLO, { type: "snapshot", cursor: "9f2c41aa-0" }], "9f2c41aa-0");
  assert.deepEqual(restored.said, ["hello", "snapshot"]);
  assert.equal(restored.asked[1].url.searchParams.get("since"), "9f2c41aa-0");
});

test("a response is followed by the next request immediately, ten times a second", async () => {
  const { asked, answer, clock } = openPoll();
  for (let second = 0; second < 20; second += 1) {
    for (let n = 0; n < 10; n += 1) {
      const count = asked.length;
      await answer([HELLO], `9f2c41aa-${count + 1}`);
      assert.equal(asked.length, count + 1);
      clock.turn(100);
    }
  }
});

test("immediate responses do not flood the server with requests", async () => {
  const { asked, answer } = openPoll();
  for (let past = 0, count = 0; past < 10_000; past += 10) {
    if (asked.length > count) await answer([HELLO], `9f2c41aa-${(count = asked.length) + 1}`, 10);
    else await answer([], undefined, 10);
  }
  assert.ok(asked.length >= 150 && asked.length <= 165, `${asked.length} requests in ten seconds`);
});

test("many requests leave no listeners behind", async () => {
  for (const name of /** @type {const} */ (["poll", "short"])) {
    const { asked, answer } = openPoll({ name });
    const { signal } = asked[0];
    for (let round = 0; round < 50; round += 1) await answer([HELLO], undefined, 10_000);
    assert.equal(asked.length, 51);
    assert.equal(getEventListeners(signal, "abort").length, 1, "that of the open request");
  }
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
  const { transport, asked, clock } = openPoll({ name: "short" });
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
  assert.deepEqual(states, [["closed", { retryMs: 900 }]]);
  assert.equal(asked.length, 1);
});

test("short polling does not wait, and asks again three seconds later", async () => {
  const { asked, clock, answer, said } = openPoll({ name: "short", cause: { from: "poll", why: "died" } });
  assert.equal(asked[0].url.search, "?wait=0&transport=short&from=poll&why=died&since=9f2c41aa-1&pet=7&pet=8");
  await answer([HELLO, { type: "status" }], undefined, 2999);
  assert.deepEqual(said, ["hello", "status"]);
  assert.equal(asked.length, 1);
  clock.turn(1);
  await settle();
  assert.equal(asked[1].url.search, "?wait=0&transport=short&since=9f2c41aa-5&pet=7&pet=8");
});

test("the hello of short polling says that it is short, and allows for the time between two requests", async () => {
  const { saving, answer, received } = openPoll({ name: "short" });
  await answer([{ ...HELLO, heartbeat_ms: 5000 }], undefined, 3000);
  await answer([HELLO], undefined, 3000);
  saving.isOn = true;
  await answer([HELLO]);
  assert.deepEqual(received.map(({ heartbeat_ms }) => heartbeat_ms), [6000, 15_000, 20_000]);
  assert.equal(received[0].transport, "short");
});

test("short polling asks every ten seconds if the browser saves data", async () => {
  const { asked, clock, saving, answer } = openPoll({ name: "short" });
  saving.isOn = true;
  await answer([HELLO], undefined, 9999);
  assert.equal(asked.length, 1);
  clock.turn(1);
  await settle();
  assert.equal(asked.length, 2);
});
