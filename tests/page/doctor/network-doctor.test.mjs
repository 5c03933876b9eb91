/** How the network doctor measures: what it opens and asks, how long it waits, and that it leaves nothing open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, fakeEventSource, fakeWebSocket, settle } from "../support/fakes.mjs";
import { Doctor } from "../../../public/live/doctor/network-doctor.js";

const NOBODY = "pet=18446744073709551615";
const JSON_TYPE = { "content-type": "application/json" };

/** A doctor among stand-ins. Every question is answered by `answer`, unless it gives nothing back. */
function openDoctor(answer = () => undefined) {
  const clock = new FakeClock();
  const sockets = fakeWebSocket();
  const sources = fakeEventSource();
  const asked = [];
  const fetch = (url, { signal, headers }) =>
    new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      const question = { url: new URL(url), headers, signal, resolve, reject };
      asked.push(question);
      const response = answer(question);
      if (response) resolve(response);
    });
  const browser = { WebSocket: sockets.WebSocket, EventSource: sources.EventSource, fetch };
  const origin = "https://rescue.example";
  const doctor = new Doctor({ browser, clock, origin, chaos: "", since: "9f2c41aa-7", heartbeatMs: 15_000 });
  const measured = {};
  const quiets = {};
  const ends = [];
  doctor.onmeasured = (measurement) => (measured[measurement.way] = measurement);
  doctor.onquiet = () => ends.push("quiet");
  doctor.onleft = (quiet) => (quiets[quiet.way] = quiet);
  doctor.onend = () => ends.push("end");
  /** Lets time pass in small steps, so that what promises cause in between happens in between. */
  const pass = async (ms) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.turn(500);
      await settle();
    }
  };
  const serverTime = () => new Date(clock.now()).toISOString();
  const say = (type) => ({ type, cursor: "9f2c41aa-7", server_time: serverTime() });
  return { clock, doctor, sockets: sockets.made, sources: sources.made, asked, measured, quiets, ends, pass, say };
}

const paths = (asked) => asked.map(({ url }) => url.pathname);

/** Answers as the server does; a poll after its wait. */
function answerWell(lab) {
  return ({ url, resolve, signal }) => {
    if (url.pathname === "/healthz") return new Response("ok\n", { headers: { "content-type": "text/plain" } });
    if (url.pathname === "/live/state") return new Response("{}", { headers: { ...JSON_TYPE, etag: '"9f2c41aa-7"' } });
    const body = () => new Response(JSON.stringify({ messages: [lab().say("hello")] }), { headers: JSON_TYPE });
    const waitMs = Number(url.searchParams.get("wait")) * 1000;
    if (waitMs === 0) return body();
    signal.addEventListener("abort", lab().clock.after(waitMs, () => resolve(body())));
    return undefined;
  };
}

/** A network on which everything works, up to where the doctor leaves it alone. */
async function openOnAGoodNetwork() {
  const lab = openDoctor((question) => answerWell(() => lab)(question));
  lab.doctor.start();
  await settle();
  const speak = (type) => {
    lab.sockets[0].receive(lab.say(type));
    lab.sources[0].receive(lab.say(type));
  };
  lab.sockets[0].open();
  lab.sources[0].onopen();
  speak("hello");
  await lab.pass(15_000);
  speak("heartbeat");
  for (let round = 0; round < 5; round += 1) {
    await settle();
    const echo = lab.sockets[1];
    if (echo.readyState === 0) echo.open();
    else echo.receive("doctor");
  }
  await lab.pass(3_000);
  return lab;
}

test("it watches what nothing happens to, from the page's cursor, and asks the demo for no bad network", async () => {
  const { doctor, sockets, sources, asked } = openDoctor();
  doctor.start();
  await settle();
  assert.equal(sockets[0].url, `wss://rescue.example/live/ws?parts=1&since=9f2c41aa-7&${NOBODY}`);
  assert.equal(sources[0].url, `https://rescue.example/live/sse?parts=1&since=9f2c41aa-7&${NOBODY}`);
  assert.deepEqual(paths(asked), ["/healthz", "/live/poll", "/live/state"]);
});

test("the bad network that was asked for is asked for on every live request", async () => {
  const { WebSocket, made } = fakeWebSocket();
  const sources = fakeEventSource();
  const asked = [];
  const fetch = (url) => (asked.push(url), Promise.reject(new TypeError("network")));
  const browser = { WebSocket, EventSource: sources.EventSource, fetch };
  const origin = "http://127.0.0.1:3000";
  new Doctor({ browser, clock: new FakeClock(), origin, chaos: "hold", since: "", heartbeatMs: 15_000 }).start();
  await settle();
  const live = [made[0].url, sources.made[0].url, ...asked.filter((url) => url.includes("/live/"))];
  assert.equal(live.length, 4);
  for (const url of live) assert.equal(new URL(url).searchParams.get("chaos"), "hold", url);
});

test("on a good network each way is measured once it was heard after a heartbeat's time", async () => {
  const { measured, ends, asked, sockets } = await openOnAGoodNetwork();
  const { ws, sse, poll, short, http } = measured;
  for (const stream of [ws, sse]) {
    assert.deepEqual([stream.openMs, stream.firstMs, stream.endedMs, stream.isKept], [0, 0, null, true]);
    assert.equal(stream.samples.length, 2);
  }
  assert.equal(ws.roundTripMs, 0);
  assert.deepEqual(poll.answers.map(({ waitMs, isOurs }) => [waitMs, isOurs]), [[0, true], [15_000, true], [0, true]]);
  assert.equal(short.answers.length, 2);
  assert.equal(http.answers.length, 3);
  const [, again] = asked.filter(({ url }) => url.pathname === "/live/state");
  assert.equal(again.headers["if-none-match"], '"9f2c41aa-7"');
  assert.deepEqual(ends, ["quiet"]);
  assert.ok(!paths(asked).includes("/live/sse"), "a stream that opens need not be asked about");
  assert.deepEqual([sockets[0].readyState, sockets[1].readyState], [3, 3], "what was measured is closed");
});

test("a poll asks the same again after a while, so that an answer that was kept is an old one", async () => {
  const { asked, measured } = await openOnAGoodNetwork();
  const [first, , again] = asked.filter(({ url }) => url.pathname === "/live/poll");
  assert.equal(again.url.href, first.url.href);
  const { answers } = measured.poll;
  assert.ok(answers[2].askedAt - answers[0].askedAt >= 3_000);
  assert.ok(measured.short.answers[1].askedAt - measured.short.answers[0].askedAt >= 3_000);
});

test("what survives being left alone is told apart from what closes and from what dies silently", async () => {
  const { quiets, sockets, sources, ends, pass } = await openOnAGoodNetwork();
  const socket = sockets[2];
  socket.open();
  await settle();
  await pass(30_000);
  sources[1].onerror();
  await settle();
  assert.deepEqual(quiets.sse, { way: "sse", ms: 30_000, outcome: "ended" });
  assert.deepEqual(socket.sent, [], "nothing is said on a socket that is left alone");
  await pass(35_000);
  assert.deepEqual(socket.sent, ["doctor"]);
  assert.equal(quiets.poll.outcome, "survived");
  assert.deepEqual(ends, ["quiet"]);
  await pass(5_000);
  assert.deepEqual(quiets.ws, { way: "ws", ms: 65_000, outcome: "dead" });
  assert.deepEqual(ends, ["quiet", "end"]);
});

test("a socket that answers after a minute survived, and so did a stream that was heard to the end", async () => {
  const { quiets, sockets, sources, pass, say } = await openOnAGoodNetwork();
  sockets[2].open();
  sources[1].onopen();
  await settle();
  for (let second = 0; second < 65; second += 13) {
    sources[1].receive(say("heartbeat"));
    await pass(13_000);
  }
  sockets[2].receive("doctor");
  await settle();
  assert.deepEqual([quiets.ws.outcome, quiets.sse.outcome], ["survived", "survived"]);
});

test("a stream that the server ends on purpose says nothing about the network", async () => {
  const { quiets, sources, pass, say } = await openOnAGoodNetwork();
  sources[1].receive(say("bye"));
  sources[1].onerror();
  await pass(1_000);
  assert.deepEqual(quiets, {});
});

test("a stream that falls silent without closing is dead, since when it was last heard", async () => {
  const { quiets, sources, pass, say } = await openOnAGoodNetwork();
  sources[1].onopen();
  await pass(15_000);
  sources[1].receive(say("heartbeat"));
  await pass(50_000);
  assert.deepEqual(quiets.sse, { way: "sse", ms: 15_000, outcome: "dead" });
});

test("nothing is waited for without a limit: a network that swallows everything is measured in the end", async () => {
  const { doctor, measured, ends, pass, clock } = openDoctor();
  doctor.start();
  await pass(20_000);
  assert.deepEqual(Object.keys(measured).sort(), ["http", "poll", "short", "sse", "ws"]);
  assert.equal(measured.ws.openMs, null);
  assert.equal(measured.sse.refusal.outcome, "unanswered");
  assert.equal(measured.poll.answers[0].outcome, "unanswered");
  assert.deepEqual(ends, ["quiet", "end"], "nothing is left alone that does not work");
  assert.equal(clock.waiting, 0);
});

test("what opens and is silent is given a heartbeat and a half, and no more", async () => {
  const { doctor, measured, sockets, pass } = openDoctor();
  doctor.start();
  sockets[0].open();
  await pass(24_000);
  assert.equal(measured.ws, undefined);
  await pass(500);
  assert.deepEqual([measured.ws.openMs, measured.ws.firstMs, measured.ws.endedMs], [0, null, null]);
  assert.equal(sockets[0].readyState, 3);
});

test("a clock that is set in the middle changes no figure", async () => {
  const { doctor, clock, measured, sockets, pass, say } = openDoctor();
  doctor.start();
  clock.jump(-3_600_000);
  sockets[0].open();
  clock.jump(7_200_000);
  sockets[0].receive(say("hello"));
  await pass(24_500);
  const { openMs, firstMs, samples } = measured.ws;
  assert.deepEqual([openMs, firstMs, samples[0].receivedAt], [0, 0, 5_000]);
});

test("a stream that is refused is asked about, and what is told is kept", async () => {
  const refuse = ({ url }) => url.pathname === "/live/sse" && new Response("no", { status: 403 });
  const { doctor, measured, sources } = openDoctor(refuse);
  doctor.start();
  sources[0].onerror();
  await settle();
  assert.deepEqual([measured.sse.refusal.status, measured.sse.refusal.isOurs], [403, false]);
});

test("a way that went wrong is not asked on", async () => {
  const portal = () => new Response("<h1>Log in</h1>", { headers: { "content-type": "text/html" } });
  const { doctor, measured, asked } = openDoctor(portal);
  doctor.start();
  await settle();
  for (const way of ["http", "poll", "short"]) {
    assert.equal(measured[way].answers.length, 1);
    assert.deepEqual([measured[way].answers[0].isOurs, measured[way].answers[0].contentType], [false, "text/html"]);
  }
  assert.equal(asked.length, 3);
});

test("an answer of the right type that is none of the server's is not taken for one", async () => {
  const { doctor, measured } = openDoctor(() => new Response("{}", { headers: JSON_TYPE }));
  doctor.start();
  await settle();
  const [{ outcome, status, isOurs }] = measured.poll.answers;
  assert.deepEqual([outcome, status, isOurs], ["answered", 200, false]);
});

test("stopping while the way there and back is measured closes that socket too", async () => {
  const { doctor, sockets, clock, pass, say } = openDoctor();
  doctor.start();
  sockets[0].open();
  await pass(15_000);
  sockets[0].receive(say("heartbeat"));
  await settle();
  assert.equal(sockets[1].readyState, 0);
  doctor.stop();
  sockets[1].open();
  assert.equal(sockets[1].readyState, 3, "not before it is open: browsers would complain");
  await pass(3_000);
  assert.equal(clock.waiting, 0);
});

test("bye is the server's own doing", async () => {
  const { doctor, measured, sockets, say } = openDoctor();
  doctor.start();
  sockets[0].open();
  sockets[0].receive(say("hello"));
  sockets[0].receive(say("bye"));
  await settle();
  assert.equal(measured.ws.isAsked, true);
});

test("stopping closes all there is, in the first part and in the second, and nothing more is said", async () => {
  const first = openDoctor();
  first.doctor.start();
  await settle();
  const second = await openOnAGoodNetwork();
  second.sockets[2].open();
  for (const { doctor, sockets, sources, asked, clock, measured, quiets, ends, pass } of [first, second]) {
    const before = JSON.stringify([measured, quiets, ends]);
    doctor.stop();
    await pass(3_000);
    assert.ok(sockets.every(({ readyState }) => readyState === 3));
    assert.ok(sources.every(({ isClosed }) => isClosed));
    assert.ok(asked.at(-1).signal.aborted);
    assert.equal(clock.waiting, 0, "no timer is left");
    await pass(120_000);
    assert.equal(JSON.stringify([measured, quiets, ends]), before);
  }
});

test("starting again begins anew: what was running is closed, and only the new run is told", async () => {
  const { doctor, sockets, sources, measured, pass } = openDoctor();
  doctor.start();
  doctor.start();
  await pass(3_000);
  assert.deepEqual(sockets.map(({ readyState }) => readyState), [3, 0]);
  assert.deepEqual(sources.map(({ isClosed }) => isClosed), [true, false]);
  assert.deepEqual(measured, {});
  await pass(7_000);
  assert.equal(measured.http.answers[0].outcome, "unanswered");
});
