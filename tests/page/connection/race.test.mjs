/** The race that finds a transport that works. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Race } from "../../../public/petstore/connection/race.js";
import { FakeClock, fakeTransports } from "../support/fakes.mjs";
/** @import { Loss, Win } from "../../../public/petstore/connection/race.js" */
/** @import { Switch } from "../../../public/petstore/transports/transport.js" */

/** @param {{ late?: string[], cause?: Switch }} [options]  `late`: transports whose hello comes too late. */
function startRace({ late = [], cause } = {}) {
  const clock = new FakeClock();
  const { made, transports } = fakeTransports();
  /** @type {Win[]} */
  const wins = [];
  /** @type {Loss[]} */
  const losses = [];
  const race = new Race({
    clock,
    transports: [transports.ws(), transports.sse(), transports.poll(), transports.short()],
    since: "9f2c41aa-7",
    cause,
    isLate: (name) => late.includes(name),
    onwin: (win) => wins.push(win),
    onlose: (loss) => losses.push(loss),
  });
  race.start();
  const [ws, sse, poll, short] = [made.ws[0], made.sse[0], made.poll[0], made.short[0]];
  const open = () => [ws, sse, poll, short].filter(({ isOpen }) => isOpen).map(({ name }) => name);
  return { clock, race, wins, losses, open, ws, sse, poll, short };
}

test("WebSocket starts alone, SSE joins after a quarter of a second, polling after two seconds, short polling after four", () => {
  const { clock, open } = startRace();
  assert.deepEqual(open(), ["ws"]);
  clock.turn(249);
  assert.deepEqual(open(), ["ws"]);
  clock.turn(1);
  assert.deepEqual(open(), ["ws", "sse"]);
  clock.turn(1750);
  assert.deepEqual(open(), ["ws", "sse", "poll"]);
  clock.turn(2000);
  assert.deepEqual(open(), ["ws", "sse", "poll", "short"]);
});

test("every transport starts from the same cursor", () => {
  const { clock, ws, sse, poll, short } = startRace();
  clock.turn(4000);
  for (const { since } of [ws, sse, poll, short]) assert.equal(since, "9f2c41aa-7");
});

test("the first that delivers hello wins and the others close", () => {
  const { clock, wins, open, sse } = startRace();
  clock.turn(2000);
  sse.hello();
  const [{ transport, hello, since, refused, late }] = wins;
  assert.deepEqual([transport.name, hello.type, since], ["sse", "hello", "9f2c41aa-7"]);
  assert.deepEqual([refused, late], [[], ["ws", "poll"]]);
  assert.deepEqual(open(), ["sse"]);
});

test("a hello that comes after the race is decided changes nothing", () => {
  const { clock, wins, ws, sse } = startRace();
  clock.turn(300);
  sse.hello();
  ws.hello();
  assert.equal(wins.length, 1);
});

test("a transport that is quick never lets the others start", () => {
  const { clock, open, ws } = startRace();
  ws.hello();
  clock.turn(60_000);
  assert.deepEqual(open(), ["ws"]);
  assert.equal(clock.waiting, 0);
});

test("an open stream that delivers nothing does not win", () => {
  const { clock, wins, ws, sse } = startRace();
  ws.onstate("open");
  clock.turn(250);
  assert.equal(sse.isOpen, true);
  assert.deepEqual(wins, []);
});

test("if WebSocket fails, SSE starts immediately", () => {
  const { ws, open } = startRace();
  ws.fail();
  assert.deepEqual(open(), ["sse"]);
});

test("if WebSocket and SSE have failed, polling starts immediately", () => {
  const { clock, open, ws, sse } = startRace();
  clock.turn(250);
  ws.fail();
  assert.deepEqual(open(), ["sse"]);
  sse.fail();
  assert.deepEqual(open(), ["poll"]);
});

test("a transport whose hello comes too late is closed", () => {
  const { wins, open, ws, sse } = startRace({ late: ["ws"] });
  ws.hello();
  assert.deepEqual(open(), ["sse"]);
  assert.deepEqual(sse.cause, { from: "ws", why: "lag" });
  sse.hello();
  assert.deepEqual([wins[0].refused, wins[0].late], [[], ["ws"]]);
});

test("a race is lost when every transport has failed, with the server's retry time", () => {
  const { losses, ws, sse, poll, short } = startRace();
  ws.fail();
  sse.fail();
  poll.fail({ retryMs: 3000 });
  assert.deepEqual(losses, []);
  short.fail();
  assert.deepEqual(losses, [{ retryMs: 3000, isLate: false }]);
});

test("a race in which every hello was late says so", () => {
  const { losses, ws, sse, poll, short } = startRace({ late: ["ws"] });
  ws.hello();
  for (const transport of [sse, poll, short]) transport.fail();
  assert.deepEqual(losses, [{ retryMs: undefined, isLate: true }]);
});

test("a race in which nothing arrives is lost after ten seconds", () => {
  const { clock, losses, open } = startRace();
  clock.turn(9_999);
  assert.deepEqual(losses, []);
  clock.turn(1);
  assert.deepEqual(losses, [{ retryMs: undefined, isLate: false }]);
  assert.deepEqual(open(), []);
});

test("after a bye instead of a hello no other transport is tried", () => {
  const { clock, losses, open, ws } = startRace();
  ws.onmessage({ type: "bye", reason: "full", retry_ms: 1200 });
  clock.turn(60_000);
  assert.deepEqual(losses, [{ retryMs: 1200, isLate: false }]);
  assert.deepEqual(open(), []);
});

test("a transport that starts because others failed or were silent says so, and one that only competes does not", () => {
  const refused = startRace();
  refused.ws.fail();
  assert.deepEqual(refused.sse.cause, { from: "ws", why: "refused" });
  const silent = startRace();
  silent.clock.turn(4000);
  assert.equal(silent.sse.cause, undefined);
  assert.deepEqual(silent.poll.cause, { from: "sse", why: "silent" });
});

test("every transport in a race sends its cause, except the one that was left", () => {
  /** @type {Switch} */
  const cause = { from: "ws", why: "lag" };
  const { clock, ws, sse, poll } = startRace({ cause });
  clock.turn(2000);
  assert.deepEqual([ws.cause, sse.cause, poll.cause], [undefined, cause, cause]);
});

test("a stopped race closes its transports and calls no handler any more", () => {
  const { clock, race, wins, losses, open, ws } = startRace();
  clock.turn(250);
  race.stop();
  assert.deepEqual(open(), []);
  ws.hello();
  clock.turn(60_000);
  assert.deepEqual([wins, losses], [[], []]);
});
