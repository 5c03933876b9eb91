/** The public API: its options, its events, and how it follows the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { watch } from "../../public/petstore/watch.js";
import { fake, FakeClock, fakeEventSource, fakeFetch, fakeWebSocket, last } from "./support/fakes.mjs";
/** @import { WatchOptions } from "../../public/petstore/watch.js" */

const ORIGIN = "https://rescue.example";
const TYPES = /** @type {const} */ (["message", "change", "snapshot", "status", "pet", "gone", "connection"]);

/** Opens a watch in a page with one working transport, WebSocket. @param {WatchOptions} [options] */
function open(options, visibilityState = "visible") {
  const clock = new FakeClock();
  const { made: sockets, WebSocket } = fakeWebSocket();
  const { asked, fetch } = fakeFetch();
  const document = Object.assign(new EventTarget(), { visibilityState });
  const window = Object.assign(new EventTarget(), {
    WebSocket,
    EventSource: fakeEventSource().EventSource,
    fetch,
    localStorage: undefined,
    navigator: {},
    document,
  });
  const opened = watch(ORIGIN, options, { browser: fake(window), clock, random: () => 0.5 });
  /** @type {[string, any][]} */
  const events = [];
  for (const type of TYPES) opened.addEventListener(type, ({ detail }) => events.push([type, detail]));
  const names = () => events.splice(0).map(([type]) => type);
  const receive = (/** @type {object} */ message) => last(sockets).receive(message);
  const hello = () => {
    last(sockets).open();
    receive({ type: "hello", cursor: at(1), heartbeat_ms: 15_000 });
  };
  const snapshot = () => receive({ type: "snapshot", cursor: at(1), pets: [{ id: 7, name: "Biscuit", status: "eating" }] });
  return { watch: opened, clock, sockets, asked, window, document, events, names, receive, hello, snapshot };
}

const at = (/** @type {number} */ rev) => `9f2c41aa-${rev}`;
const dispatch = (/** @type {EventTarget} */ target, /** @type {string} */ type, fields = {}) =>
  target.dispatchEvent(Object.assign(new Event(type), fields));

test("a watch without a cursor asks for a snapshot, and each change is one event after it", () => {
  const { watch, sockets, events, names, receive, hello, snapshot } = open();
  assert.equal(new URL(last(sockets).url).searchParams.get("since"), null);
  assert.deepEqual([watch.connection.state, watch.cursor, watch.board.size], ["connecting", "", 0]);
  hello();
  assert.deepEqual(names(), ["message", "connection"]);
  snapshot();
  assert.deepEqual(names(), ["message", "change", "snapshot"]);
  assert.deepEqual([watch.cursor, watch.board.get(7)?.name, [...watch.board].length], [at(1), "Biscuit", 1]);
  snapshot();
  assert.deepEqual(names(), ["message"], "the same snapshot over another transport is no event");
  receive({ type: "status", cursor: at(2), pet: 7, status: "playing" });
  const [, [, changes], [, message]] = events;
  assert.deepEqual(names(), ["message", "change", "status"]);
  assert.deepEqual([changes[0].before.status, changes[0].after.status, message.status], ["eating", "playing", "playing"]);
  receive({ type: "status", cursor: at(2), pet: 7, status: "playing" });
  assert.deepEqual(names(), [], "a message that was received before is no event");
  receive({ type: "heartbeat", cursor: at(3) });
  assert.deepEqual([names(), watch.cursor], [["message"], at(3)]);
  receive({ type: "gone", cursor: at(4), pet: 7 });
  assert.deepEqual([names(), watch.board.get("7")], [["message", "change", "gone"], undefined]);
});

test("ids are sent once each, whether they are numbers or texts, and a cursor is where it starts", () => {
  const { sockets } = open({ pets: new Set([7, "7", "12"]), since: at(40) });
  const { host, searchParams } = new URL(last(sockets).url);
  assert.deepEqual([host, searchParams.getAll("pet"), searchParams.get("since")], ["rescue.example", ["7", "12"], at(40)]);
});

test("an invalid option is refused with what is allowed", () => {
  /** @type {[any, any, RegExp][]} */
  const cases = [
    ["rescue.example", {}, /origin must be a URL like "https:\/\/rescue.example", not "rescue.example"/],
    ["wss://rescue.example", {}, /origin must be/],
    [undefined, {}, /origin must be .* not undefined/],
    [ORIGIN, { pets: "7" }, /pets must be a list of ids like \[7, 12\], not "7"/],
    [ORIGIN, { pets: 7 }, /pets must be a list/],
    [ORIGIN, { pets: [7, "Biscuit"] }, /the id of a pet is a whole number from 1 up, not "Biscuit"/],
    [ORIGIN, { pets: [0] }, /not 0/],
    [ORIGIN, { pets: [1.5] }, /not 1.5/],
    [ORIGIN, { pets: [null] }, /not null/],
    [ORIGIN, { pets: [] }, /leave pets out to watch every pet, or list 1 to 100 ids, not 0/],
    [ORIGIN, { pets: Array.from({ length: 101 }, (_, index) => index + 1) }, /list 1 to 100 ids, not 101/],
    [ORIGIN, { since: 1042 }, /since must be a cursor like "9f2c41aa-1042", not 1042/],
    [ORIGIN, { since: "1042" }, /since must be a cursor/],
  ];
  for (const [origin, options, message] of cases) {
    assert.throws(() => watch(origin, options), { name: "TypeError", message }, String(message));
  }
});

test("a lost connection is reported after three seconds, without another message", () => {
  const { watch, clock, sockets, events, hello } = open();
  hello();
  last(sockets).drop();
  clock.turn(2_000);
  assert.equal(watch.connection.state, "live");
  clock.turn(2_000);
  assert.deepEqual([watch.connection.state, watch.connection.transport], ["offline", null]);
  assert.deepEqual(events.filter(([type]) => type === "connection").map(([, { state }]) => state), ["live", "offline"]);
});

test("closing ends connection, events and timers, with close() or with the signal", () => {
  for (const isBySignal of [false, true]) {
    const abort = new AbortController();
    const { watch, clock, sockets, window, names, hello, receive } = open({ signal: abort.signal });
    hello();
    names();
    if (isBySignal) abort.abort();
    else watch.close();
    assert.equal(last(sockets).readyState, 3);
    receive({ type: "heartbeat", cursor: at(3) });
    dispatch(window, "pageshow", { persisted: true });
    clock.turn(60_000);
    assert.deepEqual([names(), sockets.length, clock.waiting], [[], 1, 0]);
    watch.close();
  }
});

test("a listener may close the watch in the middle of a message", () => {
  const { watch, clock, names, hello, snapshot } = open();
  hello();
  names();
  watch.addEventListener("message", () => watch.close());
  snapshot();
  assert.deepEqual([names(), clock.waiting], [["message"], 0]);
});

test("a signal that is aborted already opens nothing", () => {
  const { sockets, clock } = open({ signal: AbortSignal.abort() });
  clock.turn(60_000);
  assert.equal(sockets.length, 0);
});

test("a page in the background connects when it is first visible, and a cached page resumes at its cursor", () => {
  const { window, document, clock, sockets, hello, snapshot } = open({}, "hidden");
  clock.turn(60_000);
  assert.equal(sockets.length, 0);
  document.visibilityState = "visible";
  dispatch(document, "visibilitychange");
  hello();
  snapshot();
  dispatch(window, "pagehide");
  assert.equal(last(sockets).readyState, 3);
  dispatch(window, "pageshow", { persisted: true });
  assert.equal(new URL(last(sockets).url).searchParams.get("since"), at(1));
});

test("a watch that gets other pets asks for their snapshot, and keeps the board until then", async () => {
  const { watch, clock, asked, names, hello, snapshot } = open({ pets: [7] });
  hello();
  snapshot();
  names();
  assert.throws(() => watch.setPets(["Biscuit"]), { name: "TypeError", message: /not "Biscuit"/ });
  watch.setPets([7, 12]);
  assert.deepEqual([watch.cursor, watch.board.get(7)?.name], ["", "Biscuit"]);
  await clock.run(0);
  const isForSnapshot = (/** @type {URL} */ { searchParams }) => searchParams.getAll("pet").join() === "7,12" && !searchParams.has("since");
  const request = asked.find(({ url }) => isForSnapshot(url));
  const pets = [{ id: 7, name: "Biscuit", status: "eating" }, { id: 12, name: "Miso", status: "eating" }];
  const messages = [{ type: "hello", cursor: at(1), heartbeat_ms: 15_000 }, { type: "snapshot", cursor: at(1), pets }];
  request?.answer({ cursor: at(1), messages });
  await clock.run(0);
  assert.deepEqual([watch.cursor, watch.board.get(12)?.name], [at(1), "Miso"]);
  assert.ok(names().includes("snapshot"));
});
