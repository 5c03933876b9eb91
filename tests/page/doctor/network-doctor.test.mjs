/** The measurements of the network doctor: what it opens and requests, its time limits, and that it closes everything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkDoctor } from "../../../public/app/doctor/network-doctor.js";
import { fake, FakeClock, fakeEventSource, fakeWebSocket, last, settle } from "../support/fakes.mjs";
/** @import { IdleResult, RequestMeasurement, StreamMeasurement } from "../../../public/app/doctor/measurement.js" */

/**
 * @typedef {object} Asked
 * @property {URL} url
 * @property {Record<string, string>} headers
 * @property {AbortSignal} signal
 * @property {(response: Response) => void} resolve
 */

const NO_PET = "pet=18446744073709551615";
const JSON_TYPE = { "content-type": "application/json" };

/**
 * A doctor with a fake browser. A request without a response stays open.
 * @param {(request: Asked) => Response | undefined} [respond]
 */
function openDoctor(respond = () => undefined) {
  const clock = new FakeClock();
  const sockets = fakeWebSocket();
  const sources = fakeEventSource();
  /** @type {Asked[]} */
  const asked = [];
  const fetch = (/** @type {string} */ url, /** @type {Asked} */ { signal, headers }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      const request = { url: new URL(url), headers, signal, resolve };
      asked.push(request);
      const response = respond(request);
      if (response) resolve(response);
    });
  const browser = { WebSocket: sockets.WebSocket, EventSource: sources.EventSource, fetch: fake(fetch) };
  const site = "https://rescue.example";
  const doctor = new NetworkDoctor({ browser, clock, site, chaos: "", since: "9f2c41aa-7", heartbeatMs: 15_000 });
  /** @type {{ ws: StreamMeasurement, sse: StreamMeasurement } & Record<"http" | "poll" | "short", RequestMeasurement>} */
  const measured = fake({});
  /** @type {Record<IdleResult["probe"], IdleResult>} */
  const idle = fake({});
  /** @type {string[]} */
  const events = [];
  doctor.onmeasurement = (measurement) => Object.assign(measured, { [measurement.probe]: measurement });
  doctor.onidle = () => events.push("idle");
  doctor.onidleresult = (result) => (idle[result.probe] = result);
  doctor.onend = () => events.push("end");
  /** Lets time pass in small steps, so that promises settle in between. */
  const pass = async (/** @type {number} */ ms) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.turn(500);
      await settle();
    }
  };
  const message = (/** @type {string} */ type) => {
    return { type, cursor: "9f2c41aa-7", server_time: new Date(clock.now()).toISOString() };
  };
  return { clock, doctor, sockets: sockets.made, sources: sources.made, asked, measured, idle, events, pass, message };
}

const paths = (/** @type {Asked[]} */ asked) => asked.map(({ url }) => url.pathname);

/**
 * Responds like the server; to a poll after its wait.
 * @param {() => ReturnType<typeof openDoctor>} opened
 * @returns {(request: Asked) => Response | undefined}
 */
function respondWell(opened) {
  return ({ url, resolve, signal }) => {
    if (url.pathname === "/healthz") return new Response("ok\n", { headers: { "content-type": "text/plain" } });
    const poll = () => new Response(JSON.stringify({ messages: [opened().message("hello")] }), { headers: JSON_TYPE });
    const waitMs = Number(url.searchParams.get("wait")) * 1000;
    if (waitMs === 0) return poll();
    signal.addEventListener("abort", opened().clock.after(waitMs, () => resolve(poll())));
    return undefined;
  };
}

/** A doctor on a network where everything works, at the start of the idle tests. */
async function openOnGoodNetwork() {
  /** @type {ReturnType<typeof openDoctor>} */
  const opened = openDoctor((request) => respondWell(() => opened)(request));
  const { sockets, sources, doctor, message, pass } = opened;
  doctor.start();
  await settle();
  const send = (/** @type {string} */ type) => {
    sockets[0].receive(message(type));
    sources[0].receive(message(type));
  };
  sockets[0].open();
  sources[0].onopen?.({});
  send("hello");
  await pass(15_000);
  send("heartbeat");
  for (let round = 0; round < 5; round += 1) {
    await settle();
    const echo = sockets[1];
    if (echo.readyState === 0) echo.open();
    else echo.receive("doctor");
  }
  await pass(3_000);
  return opened;
}

test("it watches a pet without changes, from the page's cursor, without a simulated network", async () => {
  const { doctor, sockets, sources, asked } = openDoctor();
  doctor.start();
  await settle();
  assert.equal(sockets[0].url, `wss://rescue.example/live/ws?parts=1&since=9f2c41aa-7&${NO_PET}`);
  assert.equal(sources[0].url, `https://rescue.example/live/sse?parts=1&since=9f2c41aa-7&${NO_PET}`);
  assert.deepEqual(paths(asked), ["/healthz", "/live/poll", "/live/poll"]);
});

test("the simulated network is part of every live request", async () => {
  const { WebSocket, made } = fakeWebSocket();
  const sources = fakeEventSource();
  /** @type {string[]} */
  const asked = [];
  const fetch = (/** @type {string} */ url) => (asked.push(url), Promise.reject(new TypeError("network")));
  const browser = { WebSocket, EventSource: sources.EventSource, fetch: fake(fetch) };
  const site = "http://127.0.0.1:3000";
  new NetworkDoctor({ browser, clock: new FakeClock(), site, chaos: "hold", since: "", heartbeatMs: 15_000 }).start();
  await settle();
  const live = [made[0].url, sources.made[0].url, ...asked.filter((url) => url.includes("/live/"))];
  assert.equal(live.length, 4);
  for (const url of live) assert.equal(new URL(url).searchParams.get("chaos"), "hold", url);
});

test("on a good network each connection type is measured after a heartbeat's time", async () => {
  const { measured, events, asked, sockets } = await openOnGoodNetwork();
  const { ws, sse, poll, short, http } = measured;
  for (const stream of [ws, sse]) {
    assert.deepEqual([stream.openMs, stream.firstMs, stream.endedMs, stream.isSustained], [0, 0, null, true]);
    assert.equal(stream.samples.length, 2);
  }
  assert.equal(ws.roundTripMs, 0);
  assert.deepEqual(poll.requests.map(({ waitMs, isFromServer }) => [waitMs, isFromServer]), [[0, true], [15_000, true], [0, true]]);
  assert.equal(short.requests.length, 2);
  assert.equal(http.requests.length, 3);
  const [first, again] = asked.filter(({ url }) => url.searchParams.get("transport") === "short");
  assert.equal(again.url.href, first.url.href);
  assert.deepEqual(events, ["idle"]);
  assert.ok(!paths(asked).includes("/live/sse"), "no request checks a stream that opened");
  assert.deepEqual([sockets[0].readyState, sockets[1].readyState], [3, 3], "measured sockets are closed");
});

test("a poll is repeated after a while, so that a cached response is an old one", async () => {
  const { asked, measured } = await openOnGoodNetwork();
  const [first, , again] = asked.filter(({ url }) => url.pathname === "/live/poll" && !url.searchParams.has("transport"));
  assert.equal(again.url.href, first.url.href);
  const { requests } = measured.poll;
  assert.ok(requests[2].sentAt - requests[0].sentAt >= 3_000);
  assert.ok(measured.short.requests[1].sentAt - measured.short.requests[0].sentAt >= 3_000);
});

test("the idle test distinguishes connections that survive, end, and die silently", async () => {
  const { idle, sockets, sources, events, pass } = await openOnGoodNetwork();
  const socket = sockets[2];
  socket.open();
  await settle();
  await pass(30_000);
  sources[1].onerror?.({});
  await settle();
  assert.deepEqual(idle.sse, { probe: "sse", ms: 30_000, outcome: "ended" });
  assert.deepEqual(socket.sent, [], "nothing is sent over an idle socket");
  await pass(35_000);
  assert.deepEqual(socket.sent, ["doctor"]);
  assert.equal(idle.poll.outcome, "survived");
  assert.deepEqual(events, ["idle"]);
  await pass(5_000);
  assert.deepEqual(idle.ws, { probe: "ws", ms: 65_000, outcome: "dead" });
  assert.deepEqual(events, ["idle", "end"]);
});

test("a socket that still replies after a minute has survived, and so has a stream with heartbeats to the end", async () => {
  const { idle, sockets, sources, pass, message } = await openOnGoodNetwork();
  sockets[2].open();
  sources[1].onopen?.({});
  await settle();
  for (let second = 0; second < 65; second += 13) {
    sources[1].receive(message("heartbeat"));
    await pass(13_000);
  }
  sockets[2].receive("doctor");
  await settle();
  assert.deepEqual([idle.ws.outcome, idle.sse.outcome], ["survived", "survived"]);
});

test("a stream that the server ends on purpose says nothing about the network", async () => {
  const { idle, sources, pass, message } = await openOnGoodNetwork();
  sources[1].receive(message("bye"));
  sources[1].onerror?.({});
  await pass(1_000);
  assert.deepEqual(idle, {});
});

test("a stream that falls silent without closing is dead since its last message", async () => {
  const { idle, sources, pass, message } = await openOnGoodNetwork();
  sources[1].onopen?.({});
  await pass(15_000);
  sources[1].receive(message("heartbeat"));
  await pass(50_000);
  assert.deepEqual(idle.sse, { probe: "sse", ms: 15_000, outcome: "dead" });
});

test("every wait has a limit: a network that drops everything is measured too", async () => {
  const { doctor, measured, events, pass, clock } = openDoctor();
  doctor.start();
  await pass(20_000);
  assert.deepEqual(Object.keys(measured).sort(), ["http", "poll", "short", "sse", "ws"]);
  assert.equal(measured.ws.openMs, null);
  assert.equal(measured.sse.refusal?.outcome, "timeout");
  assert.equal(measured.poll.requests[0].outcome, "timeout");
  assert.deepEqual(events, ["idle", "end"], "broken connections have no idle test");
  assert.equal(clock.waiting, 0);
});

test("a stream that opens and is silent gets one and a half heartbeats", async () => {
  const { doctor, measured, sockets, pass } = openDoctor();
  doctor.start();
  sockets[0].open();
  await pass(24_000);
  assert.ok(!Object.keys(measured).includes("ws"));
  await pass(500);
  assert.deepEqual([measured.ws.openMs, measured.ws.firstMs, measured.ws.endedMs], [0, null, null]);
  assert.equal(sockets[0].readyState, 3);
});

test("setting the clock during the test changes no result", async () => {
  const { doctor, clock, measured, sockets, pass, message } = openDoctor();
  doctor.start();
  clock.jump(-3_600_000);
  sockets[0].open();
  clock.jump(7_200_000);
  sockets[0].receive(message("hello"));
  await pass(24_500);
  const { openMs, firstMs, samples } = measured.ws;
  assert.deepEqual([openMs, firstMs, samples[0].receivedAt], [0, 0, 5_000]);
});

test("a refused stream is checked with a request, whose status is kept", async () => {
  const refuse = (/** @type {Asked} */ { url }) =>
    url.pathname === "/live/sse" ? new Response("no", { status: 403 }) : undefined;
  const { doctor, measured, sources } = openDoctor(refuse);
  doctor.start();
  sources[0].onerror?.({});
  await settle();
  assert.deepEqual([measured.sse.refusal?.status, measured.sse.refusal?.isFromServer], [403, false]);
});

test("after a failed request the connection type sends no further one", async () => {
  const portal = () => new Response("<h1>Log in</h1>", { headers: { "content-type": "text/html" } });
  const { doctor, measured, asked } = openDoctor(portal);
  doctor.start();
  await settle();
  for (const probe of /** @type {const} */ (["http", "poll", "short"])) {
    assert.equal(measured[probe].requests.length, 1);
    assert.deepEqual([measured[probe].requests[0].isFromServer, measured[probe].requests[0].contentType], [false, "text/html"]);
  }
  assert.equal(asked.length, 3);
});

test("a JSON response that is not a poll response is not from the server", async () => {
  const { doctor, measured } = openDoctor(() => new Response("{}", { headers: JSON_TYPE }));
  doctor.start();
  await settle();
  const [{ outcome, status, isFromServer }] = measured.poll.requests;
  assert.deepEqual([outcome, status, isFromServer], ["answered", 200, false]);
});

test("stopping during the round trips closes that socket too", async () => {
  const { doctor, sockets, clock, pass, message } = openDoctor();
  doctor.start();
  sockets[0].open();
  await pass(15_000);
  sockets[0].receive(message("heartbeat"));
  await settle();
  assert.equal(sockets[1].readyState, 0);
  doctor.stop();
  sockets[1].open();
  assert.equal(sockets[1].readyState, 3, "not before it is open: browsers would log an error");
  await pass(3_000);
  assert.equal(clock.waiting, 0);
});

test("bye ends a stream on purpose", async () => {
  const { doctor, measured, sockets, message } = openDoctor();
  doctor.start();
  sockets[0].open();
  sockets[0].receive(message("hello"));
  sockets[0].receive(message("bye"));
  await settle();
  assert.equal(measured.ws.isServerEnd, true);
});

test("stopping closes everything in both parts, and no handler is called any more", async () => {
  const first = openDoctor();
  first.doctor.start();
  await settle();
  const second = await openOnGoodNetwork();
  second.sockets[2].open();
  for (const { doctor, sockets, sources, asked, clock, measured, idle, events, pass } of [first, second]) {
    const before = JSON.stringify([measured, idle, events]);
    doctor.stop();
    await pass(3_000);
    assert.ok(sockets.every(({ readyState }) => readyState === 3));
    assert.ok(sources.every(({ isClosed }) => isClosed));
    assert.ok(last(asked).signal.aborted);
    assert.equal(clock.waiting, 0, "no timer is left");
    await pass(120_000);
    assert.equal(JSON.stringify([measured, idle, events]), before);
  }
});

test("starting again closes the running test, and only the new one reports", async () => {
  const { doctor, sockets, sources, measured, pass } = openDoctor();
  doctor.start();
  doctor.start();
  await pass(3_000);
  assert.deepEqual(sockets.map(({ readyState }) => readyState), [3, 0]);
  assert.deepEqual(sources.map(({ isClosed }) => isClosed), [true, false]);
  assert.deepEqual(measured, {});
  await pass(7_000);
  assert.equal(measured.http.requests[0].outcome, "timeout");
});
