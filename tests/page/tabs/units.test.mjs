/** The parts of a shared connection by themselves: what comes next, what is kept, whom to ask, and when to share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, fakeFetch, settle } from "../support/fakes.mjs";
import { placeOf } from "../../../public/state/message-order.js";
import { Run } from "../../../public/live/tabs/recent-changes.js";
import { Leadership } from "../../../public/live/tabs/lock-election.js";
import { askingServer } from "../../../public/live/tabs/catch-up.js";
import { openConnection } from "../../../public/live/open-connection.js";
import { Connection } from "../../../public/live/connection/connection.js";
import { SharedConnection } from "../../../public/live/tabs/shared-connection.js";
import { ServerClock } from "../../../public/state/server-clock.js";

const at = (rev, epoch = "9f2c41aa") => `${epoch}-${rev}`;
const status = (rev, epoch) => ({ type: "status", cursor: at(rev, epoch), pet: 1, status: "eating" });
const snapshot = (rev, epoch) => ({ type: "snapshot", cursor: at(rev, epoch), pets: [] });
const OTHER = "00000002";

test("a change comes next where the reader has seen all that the stream had before it", () => {
  assert.equal(placeOf(status(8), at(7), at(7)), "next");
  assert.equal(placeOf(status(8), at(5), at(7)), "next");
  assert.equal(placeOf(status(7), at(6), at(7)), "old");
  assert.equal(placeOf(status(9), at(8), at(7)), "gap");
});

test("a change of another epoch is never next, and neither is one for a reader without a cursor", () => {
  assert.equal(placeOf(status(8, OTHER), at(7, OTHER), at(7)), "gap");
  assert.equal(placeOf(status(8, OTHER), at(7), at(7)), "gap");
  assert.equal(placeOf(status(8), at(7), ""), "gap");
  assert.equal(placeOf(status(8), "", ""), "gap");
});

test("a heartbeat that is ahead shows a gap, and an old one is still a sign of life", () => {
  assert.equal(placeOf({ type: "heartbeat", cursor: at(7) }, at(7), at(7)), "next");
  assert.equal(placeOf({ type: "heartbeat", cursor: at(3) }, at(3), at(7)), "next");
  assert.equal(placeOf({ type: "heartbeat", cursor: at(9) }, at(9), at(7)), "gap");
});

test("a snapshot is next, but for an older one from a leader that was merely behind", () => {
  assert.equal(placeOf(snapshot(9), at(3), at(7)), "next");
  assert.equal(placeOf(snapshot(2, OTHER), at(7), at(7)), "next");
  assert.equal(placeOf(snapshot(9), "", ""), "next");
  assert.equal(placeOf(snapshot(6), at(3), at(7)), "old");
  assert.equal(placeOf(snapshot(6), "", at(7)), "old");
  assert.equal(placeOf(snapshot(6), at(7), at(7)), "next");
});

test("what is not about pets is always next", () => {
  for (const type of ["hello", "stale", "something new"]) assert.equal(placeOf({ type }, at(9), at(7)), "next");
});

test("a run knows what lies between a cursor and now, and says when it does not", () => {
  const run = new Run(at(5));
  for (const rev of [6, 7, 8]) run.add(status(rev));
  run.add({ type: "heartbeat", cursor: at(8) });
  assert.deepEqual(run.between(at(6), at(8)), [status(7), status(8)]);
  assert.deepEqual(run.between(at(5), at(8)).length, 3);
  assert.deepEqual(run.between(at(8), at(8)), []);
  assert.equal(run.between(at(4), at(8)), null);
  assert.equal(run.between(at(9), at(8)), null);
  assert.equal(run.between(at(6, OTHER), at(8)), null);
  assert.equal(run.between("", at(8)), null);
});

test("a run begins anew with a snapshot, and keeps no more than its limit", () => {
  const run = new Run("");
  run.add(snapshot(10));
  for (let rev = 11; rev <= 266; rev += 1) run.add(status(rev));
  assert.equal(run.between(at(10), at(266)).length, 256);
  run.add(status(267));
  assert.equal(run.between(at(10), at(267)), null);
  assert.equal(run.between(at(11), at(267)).length, 256);
  run.add(snapshot(3, OTHER));
  assert.equal(run.between(at(267), at(3, OTHER)), null);
  assert.deepEqual(run.between(at(3, OTHER), at(3, OTHER)), []);
});

/** A lock manager that does nothing by itself. */
function openLeadership() {
  const asked = [];
  const request = (_name, options, callback) =>
    new Promise((resolve, reject) => asked.push({ options, grant: () => callback({}), resolve, reject }));
  const heard = [];
  const leadership = new Leadership({
    locks: { request },
    name: "petstore-live",
    onwin: () => heard.push("won"),
    onlose: () => heard.push("lost"),
    onfail: () => heard.push("failed"),
  });
  return { leadership, asked, heard };
}

const isSettled = async (promise) => {
  let settled = false;
  promise.then(() => (settled = true));
  await settle();
  return settled;
};

test("the lock is held until it is given up, or seized by another tab", async () => {
  const { leadership, asked, heard } = openLeadership();
  leadership.queue();
  const held = asked[0].grant();
  assert.equal(await isSettled(held), false);
  leadership.leave();
  assert.equal(await isSettled(held), true);
  leadership.queue();
  asked[1].grant();
  asked[1].reject(new DOMException("stolen", "AbortError"));
  await settle();
  assert.deepEqual(heard, ["won", "won", "lost"]);
});

test("a lock that comes after it was given up is let go at once, and no more is heard of it", async () => {
  const { leadership, asked, heard } = openLeadership();
  leadership.seize();
  leadership.leave();
  assert.equal(await isSettled(Promise.resolve(asked[0].grant())), true);
  leadership.queue();
  leadership.leave();
  asked[1].reject(new DOMException("aborted", "AbortError"));
  await settle();
  assert.deepEqual(heard, []);
});

test("who asks anew gives up what it asked for or held before", async () => {
  const { leadership, asked } = openLeadership();
  leadership.queue();
  leadership.seize();
  assert.equal(asked[0].options.signal.aborted, true);
  const held = asked[1].grant();
  leadership.queue();
  assert.equal(await isSettled(held), true);
});

function startAsking() {
  const { asked, fetch } = fakeFetch();
  const clock = new FakeClock();
  const abort = new AbortController();
  const watch = { origin: "http://127.0.0.1:3000", pets: [] };
  const answer = askingServer({ fetch, watch, clock })(at(7), abort.signal);
  return { asked, clock, abort, answer };
}

test("the server is asked once, without waiting, and only what moves a page on is taken", async () => {
  const { asked, clock, answer } = startAsking();
  assert.equal(asked[0].url.href, `http://127.0.0.1:3000/live/poll?wait=0&since=${at(7)}`);
  const beat = { type: "heartbeat", cursor: at(8) };
  asked[0].answer({ cursor: at(8), messages: [{ type: "hello" }, status(8), beat, { type: "bye" }, null] });
  assert.deepEqual(await answer, [status(8)]);
  assert.equal(clock.waiting, 0);
  assert.equal(asked.length, 1);
});

test("a server that refuses, answers nonsense, or keeps its answer is not waited for", async () => {
  const refused = startAsking();
  refused.asked[0].refuse(503);
  await assert.rejects(refused.answer);

  const nonsense = startAsking();
  nonsense.asked[0].answer("<html>");
  await assert.rejects(nonsense.answer);

  const silent = startAsking();
  silent.clock.turn(5000);
  await assert.rejects(silent.answer);

  const unwanted = startAsking();
  unwanted.abort.abort();
  await assert.rejects(unwanted.answer);
  assert.equal(unwanted.clock.waiting, 0);
});

/** A browser that gives out every lock, and what it was asked for. */
function fakeBrowser() {
  const names = [];
  class FakeBroadcastChannel {
    constructor(name) {
      names.push(name);
    }
    postMessage() {}
    close() {}
  }
  const locks = { request: async (name, _options, callback) => (names.push(name), callback({})) };
  const browser = {
    navigator: { locks },
    document: { visibilityState: "visible" },
    BroadcastChannel: FakeBroadcastChannel,
    fetch: fakeFetch().fetch,
  };
  return { names, browser };
}

function open(browser, chaos) {
  const watch = { origin: "http://127.0.0.1:3000", pets: [], chaos };
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  return openConnection({ browser, clock, serverClock, random: () => 0.5, watch, since: () => at(1) });
}

test("tabs share under one name, and those that try out a restricted network under another", async () => {
  for (const [chaos, name] of [
    [undefined, "petstore-live-2"],
    ["eat", "petstore-live-2 chaos=eat"],
  ]) {
    const { names, browser } = fakeBrowser();
    const connection = open(browser, chaos);
    connection.start();
    await settle();
    connection.stop();
    assert.deepEqual(names, [name, name]);
  }
});

test("without locks tabs share all the same, and without channels the page has a connection of its own", () => {
  const { browser } = fakeBrowser();
  assert.equal(open(browser).constructor, SharedConnection);
  assert.equal(open({ ...browser, navigator: {} }).constructor, SharedConnection);
  assert.equal(open({ ...browser, BroadcastChannel: undefined }).constructor, Connection);
});
