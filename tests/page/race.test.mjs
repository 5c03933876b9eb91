/** How the page finds the transport that works here and now. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, fakeTransports, load } from "./support.mjs";

const { Race } = await load("live/race.js");

function startRace() {
  const clock = new FakeClock();
  const { made, transports } = fakeTransports();
  const wins = [];
  const losses = [];
  const race = new Race({
    clock,
    transports: [transports.ws(), transports.sse(), transports.poll()],
    since: "9f2c41aa-7",
    onwin: (transport, hello) => wins.push([transport.name, hello.type]),
    onlose: (retryMs) => losses.push(retryMs),
  });
  race.start();
  return { clock, race, wins, losses, ws: made.ws[0], sse: made.sse[0], poll: made.poll[0] };
}

test("WebSocket starts alone, SSE joins after a quarter of a second, and polling after two seconds", () => {
  const { clock, ws, sse, poll } = startRace();
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [true, false, false]);
  clock.turn(249);
  assert.equal(sse.isOpen, false);
  clock.turn(1);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [true, true, false]);
  clock.turn(1750);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [true, true, true]);
});

test("every transport starts from the same cursor", () => {
  const { clock, ws, sse, poll } = startRace();
  clock.turn(2000);
  assert.deepEqual([ws.since, sse.since, poll.since], ["9f2c41aa-7", "9f2c41aa-7", "9f2c41aa-7"]);
});

test("the first that delivers hello wins and the others close", () => {
  const { clock, wins, ws, sse, poll } = startRace();
  clock.turn(2000);
  sse.hello();
  assert.deepEqual(wins, [["sse", "hello"]]);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [false, true, false]);
});

test("a hello that comes after the race is decided changes nothing", () => {
  const { clock, wins, ws, sse } = startRace();
  clock.turn(300);
  sse.hello();
  ws.hello();
  assert.equal(wins.length, 1);
});

test("a transport that is quick never lets the others start", () => {
  const { clock, ws, sse, poll } = startRace();
  ws.hello();
  clock.turn(60_000);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [true, false, false]);
  assert.equal(clock.waiting, 0);
});

test("an open stream that delivers nothing does not win", () => {
  const { clock, wins, ws, sse } = startRace();
  ws.onstate("open");
  clock.turn(250);
  assert.equal(sse.isOpen, true);
  assert.deepEqual(wins, []);
});

test("where WebSocket fails at once, SSE starts at once", () => {
  const { ws, sse } = startRace();
  ws.fail();
  assert.equal(sse.isOpen, true);
});

test("where WebSocket and SSE have both failed, polling starts at once", () => {
  const { clock, ws, sse, poll } = startRace();
  clock.turn(250);
  ws.fail();
  assert.equal(poll.isOpen, false);
  sse.fail();
  assert.equal(poll.isOpen, true);
});

test("a race is lost when every transport has failed, with the wait that the server asked for", () => {
  const { losses, ws, sse, poll } = startRace();
  ws.fail();
  sse.fail();
  assert.deepEqual(losses, []);
  poll.fail({ retryMs: 3000 });
  assert.deepEqual(losses, [3000]);
});

test("a race in which nothing arrives is given up after ten seconds", () => {
  const { clock, losses, ws, sse, poll } = startRace();
  clock.turn(9_999);
  assert.deepEqual(losses, []);
  clock.turn(1);
  assert.deepEqual(losses, [undefined]);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [false, false, false]);
});

test("a server that says bye instead of hello is not asked again over the other transports", () => {
  const { clock, losses, ws, sse, poll } = startRace();
  ws.onmessage({ type: "bye", reason: "full", retry_ms: 1200 });
  clock.turn(60_000);
  assert.deepEqual(losses, [1200]);
  assert.deepEqual([ws.isOpen, sse.isOpen, poll.isOpen], [false, false, false]);
});

test("a race that is stopped closes what it opened and says nothing more", () => {
  const { clock, race, wins, losses, ws, sse } = startRace();
  clock.turn(250);
  race.stop();
  assert.deepEqual([ws.isOpen, sse.isOpen], [false, false]);
  ws.hello();
  clock.turn(60_000);
  assert.deepEqual([wins, losses], [[], []]);
});
