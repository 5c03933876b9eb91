/** The units of a shared connection: message order, filters, the stream, the lock election, catching up, and when to share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";
import { openConnection } from "../../../public/petstore/open-connection.js";
import { LockElection } from "../../../public/petstore/tabs/lock-election.js";
import { covers, union } from "../../../public/petstore/tabs/pet-filter.js";
import { Stream } from "../../../public/petstore/tabs/stream.js";
import { Tab } from "../../../public/petstore/tabs/tab.js";
import { classify } from "../../../public/petstore/protocol/message-order.js";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { fake, FakeClock, fakeFetch, settle } from "../support/fakes.mjs";

const at = (/** @type {number} */ rev, epoch = "9f2c41aa") => `${epoch}-${rev}`;
const status = (/** @type {number} */ rev, epoch = "9f2c41aa") => {
  return { type: "status", cursor: at(rev, epoch), pet: 1, status: "eating" };
};
const snapshot = (/** @type {number} */ rev, epoch = "9f2c41aa") => {
  return { type: "snapshot", cursor: at(rev, epoch), pets: [] };
};
const OTHER = "00000002";

test("a change is next if the reader has everything that the stream had before it", () => {
  assert.equal(classify(status(8), at(7), at(7)), "next");
  assert.equal(classify(status(8), at(5), at(7)), "next");
  assert.equal(classify(status(7), at(6), at(7)), "old");
  assert.equal(classify(status(9), at(8), at(7)), "gap");
});

test("a change of another epoch is never next, and neither is one for a reader without a cursor", () => {
  assert.equal(classify(status(8, OTHER), at(7, OTHER), at(7)), "gap");
  assert.equal(classify(status(8, OTHER), at(7), at(7)), "gap");
  assert.equal(classify(status(8), at(7), ""), "gap");
  assert.equal(classify(status(8), "", ""), "gap");
});

test("a heartbeat that is ahead shows a gap, and an old one still shows that the server is alive", () => {
  assert.equal(classify({ type: "heartbeat", cursor: at(7) }, at(7), at(7)), "next");
  assert.equal(classify({ type: "heartbeat", cursor: at(3) }, at(3), at(7)), "next");
  assert.equal(classify({ type: "heartbeat", cursor: at(9) }, at(9), at(7)), "gap");
});

test("a snapshot is next, unless it is an older one from a leader that was behind", () => {
  assert.equal(classify(snapshot(9), at(3), at(7)), "next");
  assert.equal(classify(snapshot(2, OTHER), at(7), at(7)), "next");
  assert.equal(classify(snapshot(9), "", ""), "next");
  assert.equal(classify(snapshot(6), at(3), at(7)), "old");
  assert.equal(classify(snapshot(6), "", at(7)), "old");
  assert.equal(classify(snapshot(6), at(7), at(7)), "next");
});

test("messages that are not about pets are always next", () => {
  for (const type of ["hello", "stale", "something new"]) assert.equal(classify({ type }, at(9), at(7)), "next");
});

test("a page that has left an epoch takes nothing of an answer for it, not even a snapshot", () => {
  let cursor = at(7);
  /** @type {string[]} */
  const taken = [];
  const onmessage = (/** @type {import("../../../public/petstore/protocol/message.js").Message} */ message) =>
    void taken.push((cursor = message.cursor));
  const page = { since: () => cursor, isHidden: () => false, pets: [], onmessage, onstate() {} };
  const tab = new Tab({ clock: new FakeClock(), random: () => 0.5, ...page });
  assert.equal(tab.takeAll([status(8), status(9)], at(6)), true);
  assert.deepEqual(taken, [at(8), at(9)]);
  assert.equal(tab.takeAll([snapshot(5, OTHER)], at(3, OTHER)), false);
  assert.equal(tab.takeAll([snapshot(12)], at(10)), false);
  assert.deepEqual(taken, [at(8), at(9)]);
});

test("a filter covers the pets in it, and the empty one every pet", () => {
  /** @type {[string[], string[], boolean][]} */
  const cases = [
    [[], [], true],
    [[], ["7"], true],
    [["7"], [], false],
    [["7"], ["7"], true],
    [["7"], ["7", "8"], false],
  ];
  for (const [filter, pets, isCovered] of cases) assert.equal(covers(filter, pets), isCovered, `${filter} ${pets}`);
});

test("a union is as narrow as its parts allow, and has at most 50 pets", () => {
  const many = Array.from({ length: 50 }, (_, index) => String(index));
  assert.deepEqual(union([["7"], ["8", "7"]]), ["7", "8"]);
  assert.deepEqual(union([["7"], []]), []);
  assert.equal(union([many.slice(1), ["0"]]).length, 50);
  assert.deepEqual(union([many, ["50"]]), []);
});

/** @param {string} position */
function openStream(position) {
  const connection = fake({ start() {} });
  const stream = new Stream(["1"], position, () => connection, () => false);
  stream.start();
  return { stream, receive: (/** @type {object} */ message) => connection.onmessage(message) };
}

test("a stream has what lies between a cursor and its position, or nothing if that is incomplete", () => {
  const { stream, receive } = openStream(at(5));
  for (const rev of [6, 7, 9]) receive(status(rev));
  receive({ type: "heartbeat", cursor: at(11) });
  assert.equal(stream.position, at(11));
  assert.deepEqual(stream.since(at(6)), [status(7), status(9)]);
  assert.deepEqual(stream.since(at(8)), [status(9)]);
  assert.deepEqual(stream.since(at(5))?.length, 3);
  assert.deepEqual(stream.since(at(11)), []);
  assert.equal(stream.since(at(4)), null);
  assert.equal(stream.since(at(12)), null);
  assert.equal(stream.since(at(6, OTHER)), null);
  assert.equal(stream.since(""), null);
});

test("a tab without a cursor misses nothing of a stream that has not begun either", () => {
  const { stream } = openStream("");
  assert.deepEqual(stream.since(""), []);
});

test("a stream tells with every message what it had delivered before", () => {
  const { stream, receive } = openStream(at(5));
  /** @type {string[]} */
  const positions = [];
  stream.onmessage = (_message, after) => positions.push(after);
  for (const message of [{ type: "hello", cursor: at(9) }, status(7), { type: "heartbeat", cursor: at(7) }, status(9)]) {
    receive(message);
  }
  assert.deepEqual(positions, [at(5), at(5), at(7), at(7)]);
});

test("a stream keeps its hello, with the interval that a later heartbeat changed", () => {
  const { stream, receive } = openStream(at(5));
  receive({ type: "hello", cursor: at(5), heartbeat_ms: 5_000 });
  receive({ type: "heartbeat", cursor: at(5), heartbeat_ms: 15_000 });
  receive({ type: "heartbeat", cursor: at(5) });
  assert.deepEqual(stream.hello, { type: "hello", cursor: at(5), heartbeat_ms: 15_000 });
});

test("the changes of a stream start again with a snapshot, and are bounded", () => {
  const { stream, receive } = openStream("");
  receive(snapshot(10));
  for (let rev = 11; rev <= 266; rev += 1) receive(status(rev));
  assert.equal(stream.since(at(10))?.length, 256);
  receive(status(267));
  assert.equal(stream.since(at(10)), null);
  assert.equal(stream.since(at(11))?.length, 256);
  receive(snapshot(3, OTHER));
  assert.equal(stream.since(at(267)), null);
  assert.deepEqual(stream.since(at(3, OTHER)), []);
});

/** An election with a lock manager that tests control. */
function openElection() {
  /** @type {{ options: LockOptions, grant: () => unknown, reject: (error: Error) => void }[]} */
  const asked = [];
  /** @param {(lock: object) => unknown} callback */
  const request = (/** @type {string} */ _name, /** @type {LockOptions} */ options, callback) =>
    new Promise((_resolve, reject) => asked.push({ options, grant: () => callback({}), reject }));
  /** @type {string[]} */
  const events = [];
  const election = new LockElection({
    locks: fake({ request }),
    name: "petstore-live",
    onwin: () => events.push("won"),
    onlose: () => events.push("lost"),
    onfail: () => events.push("failed"),
  });
  return { election, asked, events };
}

/** @param {unknown} promise */
const isSettled = async (promise) => {
  let settled = false;
  Promise.resolve(promise).then(() => (settled = true));
  await settle();
  return settled;
};

test("the lock is held until it is released, or stolen by another tab", async () => {
  const { election, asked, events } = openElection();
  election.follow();
  const held = asked[0].grant();
  assert.equal(await isSettled(held), false);
  election.leave();
  assert.equal(await isSettled(held), true);
  election.follow();
  asked[1].grant();
  asked[1].reject(new DOMException("stolen", "AbortError"));
  await settle();
  assert.deepEqual(events, ["won", "won", "lost"]);
});

test("a lock that is granted after the tab left is released immediately, without an event", async () => {
  const { election, asked, events } = openElection();
  election.takeOver();
  election.leave();
  assert.equal(await isSettled(Promise.resolve(asked[0].grant())), true);
  election.follow();
  election.leave();
  asked[1].reject(new DOMException("aborted", "AbortError"));
  await settle();
  assert.deepEqual(events, []);
});

test("a new request replaces the one before, and releases its lock", async () => {
  const { election, asked } = openElection();
  election.follow();
  election.takeOver();
  assert.equal(asked[0].options.signal?.aborted, true);
  const held = asked[1].grant();
  election.follow();
  assert.equal(await isSettled(held), true);
});

/** A browser that grants every lock, with the names of locks and channels. */
function fakeBrowser() {
  /** @type {string[]} */
  const names = [];
  class FakeBroadcastChannel {
    /** @param {string} name */
    constructor(name) {
      names.push(name);
    }
    postMessage() {}
    close() {}
  }
  /** @param {(lock: object) => unknown} callback */
  const request = async (/** @type {string} */ name, /** @type {LockOptions} */ _options, callback) =>
    (names.push(name), callback({}));
  const locks = { request };
  const browser = {
    navigator: { locks },
    document: { visibilityState: "visible" },
    BroadcastChannel: FakeBroadcastChannel,
    fetch: fakeFetch().fetch,
  };
  return { names, browser };
}

/** @param {object} browser @param {{ site?: string, chaos?: string }} [watched] */
function open(browser, { site = "http://127.0.0.1:3000", chaos } = {}) {
  const watch = { site, pets: [], chaos };
  const clock = new FakeClock();
  const parts = { clock, serverClock: new ServerClock(clock), eventLoop: new EventLoopMonitor(clock) };
  return openConnection({ browser: fake(browser), ...parts, random: () => 0.5, watch, since: () => at(1) });
}

test("tabs share a connection to the same server over the same network, real or simulated", async () => {
  /** @type {[{ site?: string, chaos?: string }, string][]} */
  const cases = [
    [{}, "petstore-live-4 http://127.0.0.1:3000"],
    [{ site: "https://rescue.example" }, "petstore-live-4 https://rescue.example"],
    [{ chaos: "eat" }, "petstore-live-4 http://127.0.0.1:3000 eat"],
  ];
  for (const [watched, name] of cases) {
    const { names, browser } = fakeBrowser();
    const connection = open(browser, watched);
    connection.start();
    await settle();
    connection.stop();
    assert.deepEqual(names, [name, name]);
  }
});
