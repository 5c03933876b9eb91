/** A full server: the page follows its log, and returns to the streams when there is room. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { follow } from "../../../public/petstore/transports/follow.js";
import { PollingTransport } from "../../../public/petstore/transports/polling.js";
import { FakeClock, fakeFetch, last, settle } from "../support/fakes.mjs";
import { startOnPoll } from "../support/connection.mjs";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */

const ORIGIN = "https://rescue.example";
const LOG = "/live/log?pet=7&since=9f2c41aa-5&slice=0&wait=5";
const HELLO = { type: "hello", cursor: "9f2c41aa-5", heartbeat_ms: 5_000, server_time: "2024-05-01T12:00:00Z", log: LOG };
const STATUS = { type: "status", cursor: "9f2c41aa-8", after: "9f2c41aa-5", pet: 7, status: "eating" };
const STALE = { type: "stale", since: "2024-05-01T12:00:00Z" };

/** @param {string} since */
const at = (since, slice = 0) => `/live/log?pet=7&since=${since}&slice=${slice}&wait=5`;

function start({ since = "9f2c41aa-5", random = () => 0.5 } = {}) {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const next = follow({ site: ORIGIN, address: LOG, since, fetch, clock, random });
  const abort = new AbortController();
  return {
    clock,
    asked,
    abort,
    path: () => last(asked).url.href.slice(ORIGIN.length),
    /** Asks, answers, and returns the messages. @param {object} answer @returns {Promise<Message[]>} */
    async step(answer) {
      const messages = next(abort.signal);
      await settle();
      last(asked).answer({ cursor: "9f2c41aa-5", messages: [], next: at("9f2c41aa-5", 1), ...answer });
      return messages;
    },
    next: () => next(abort.signal),
  };
}

describe("a page that follows the log", () => {
  test("asks for the address in each answer, and learns by a heartbeat how far it is", async () => {
    const { step, path } = start();
    const changes = { cursor: "9f2c41aa-9", messages: [STATUS], next: at("9f2c41aa-9"), activities: "0badcafe" };
    const [status, heartbeat] = await step(changes);
    assert.equal(path(), LOG);
    assert.equal(status, STATUS);
    const { type, cursor, after, heartbeat_ms, activities } = heartbeat;
    assert.deepEqual([type, cursor, after], ["heartbeat", "9f2c41aa-9", STATUS.cursor]);
    assert.deepEqual([heartbeat_ms, activities], [7_500, "0badcafe"]);
    const [empty, ...rest] = await step({ cursor: "9f2c41aa-9", next: at("9f2c41aa-9", 3) });
    assert.equal(path(), at("9f2c41aa-9"));
    assert.deepEqual([empty.cursor, empty.after, rest], ["9f2c41aa-9", "9f2c41aa-9", []]);
    await step({});
    assert.equal(path(), at("9f2c41aa-9", 3));
  });

  test("begins at its own cursor", async () => {
    const { step, path } = start({ since: "9f2c41aa-2" });
    await step({});
    assert.equal(path(), at("9f2c41aa-2"));
  });

  test("waits as long as the server says, and says that this is no silence", async () => {
    const { step, clock, asked, next } = start();
    const [{ heartbeat_ms }] = await step({ retry_ms: 4_000 });
    assert.equal(heartbeat_ms, 12_000);
    next();
    await clock.run(4_499);
    assert.equal(asked.length, 1);
    await clock.run(1);
    assert.equal(asked.length, 2);
  });

  test("shows that the database is unreachable until it is reachable again", async () => {
    const { step } = start();
    assert.deepEqual(await step({ messages: [STALE] }), [STALE]);
    const types = (await step({ messages: [STATUS, STALE], cursor: "9f2c41aa-8" })).map(({ type }) => type);
    assert.deepEqual(types, ["status", "heartbeat", "stale"]);
    assert.deepEqual((await step({ cursor: "9f2c41aa-8" })).map(({ type }) => type), ["heartbeat"]);
  });

  test("repeats a request that failed, and gives up after the third", async () => {
    const { next, asked, clock } = start();
    const messages = next();
    const result = messages.catch(() => "gave up");
    await settle();
    last(asked).fail();
    await clock.run(1_500);
    last(asked).refuse(502);
    await clock.run(1_499);
    assert.equal(asked.length, 2);
    await clock.run(1);
    assert.equal(last(asked).url.href, ORIGIN + LOG);
    last(asked).fail();
    assert.equal(await result, "gave up");
  });

  test("returns at a random time after there is room, later if it was refused, and not if the room is gone", async () => {
    const { step, clock } = start();
    const isTold = async (/** @type {boolean} */ room) => (await step({ room }))[0].room;
    assert.equal(await isTold(true), false);
    clock.turn(14_999);
    assert.equal(await isTold(true), false);
    clock.turn(1);
    assert.equal(await isTold(true), true);
    // It was refused: others were faster. The spread is a minute now.
    assert.equal(await isTold(true), false);
    clock.turn(29_999);
    assert.equal(await isTold(true), false);
    assert.equal(await isTold(false), false);
    clock.turn(1);
    assert.equal(await isTold(true), false);
    clock.turn(30_000);
    assert.equal(await isTold(true), true);
  });
});

/** Waits until the module was imported, and the next request sent. @param {() => boolean} isTrue */
async function until(isTrue) {
  for (let turns = 0; turns < 10_000 && !isTrue(); turns += 1) await settle();
  assert.ok(isTrue(), "no request");
}

/** @param {Message} [hello] */
function openPoll(hello) {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  const watch = { site: ORIGIN, pets: ["7"] };
  const transport = new PollingTransport("poll", { fetch, watch, clock, nonce: () => "n1", savesData: () => false });
  /** @type {Message[]} */
  const received = [];
  /** @type {string[]} */
  const states = [];
  transport.onmessage = (message) => received.push(message);
  transport.onstate = (state) => states.push(state);
  transport.open("9f2c41aa-2", undefined, hello);
  /** Answers the newest request, and waits for the next one. The first time, the module is imported. @param {object} body */
  const answer = async (body) => {
    const { length } = asked;
    last(asked).answer(body);
    await until(() => asked.length > length);
  };
  return { clock, asked, transport, received, states, answer, path: () => last(asked).url.pathname + last(asked).url.search };
}

describe("long polling", () => {
  test("says that it knows the log, and follows it from the cursor of the answer", async () => {
    const { asked, answer, path, received, transport } = openPoll();
    assert.equal(last(asked).url.searchParams.get("log"), "1");
    const missed = { ...STATUS, cursor: "9f2c41aa-5", after: "9f2c41aa-2" };
    await answer({ cursor: "9f2c41aa-5", messages: [HELLO, missed] });
    assert.equal(path(), LOG);
    await answer({ cursor: "9f2c41aa-8", messages: [STATUS], next: at("9f2c41aa-8") });
    assert.equal(path(), at("9f2c41aa-8"));
    assert.deepEqual(received.map(({ type }) => type), ["hello", "status", "status", "heartbeat"]);
    transport.close();
    assert.equal(last(asked).signal.aborted, true);
  });

  test("follows the log to which the first poll of the page led, from the cursor of the page", async () => {
    const { asked, path, transport } = openPoll(HELLO);
    await until(() => asked.length > 0);
    assert.equal(path(), at("9f2c41aa-2"));
    transport.close();
  });

  test("is normal again when it is opened again and the server has room", async () => {
    const { asked, answer, path, transport } = openPoll(HELLO);
    await until(() => asked.length > 0);
    transport.open("9f2c41aa-5");
    assert.equal(transport.log, undefined);
    await answer({ cursor: "9f2c41aa-5", messages: [{ ...HELLO, log: undefined }] });
    assert.match(path(), /^\/live\/poll\/n1\?wait=5&log=1&/);
    transport.open("9f2c41aa-6", undefined, HELLO);
    await until(() => path() === at("9f2c41aa-6"));
    transport.close();
  });
});

describe("a connection that follows the log", () => {
  const start = async () => {
    const parts = await startOnPoll();
    const poll = last(parts.made.poll);
    poll.log = LOG;
    poll.hello({ heartbeat_ms: 5_000 });
    return { ...parts, poll };
  };

  test("is shown as such, and tries the streams when there is room", async () => {
    const { made, poll, inUse, open, phases } = await start();
    assert.equal(inUse(), "log");
    poll.onmessage({ type: "heartbeat", cursor: "9f2c41aa-1", room: true });
    assert.deepEqual(open(), ["ws", "sse", "poll"]);
    for (const transport of [last(made.ws), last(made.sse)]) transport.fail();
    assert.deepEqual(open(), ["poll"]);
    assert.deepEqual(phases().filter((phase) => phase === "down"), []);
    poll.onmessage({ type: "heartbeat", cursor: "9f2c41aa-1", room: true });
    assert.deepEqual(open(), ["ws", "sse", "poll"]);
  });

  test("does not ask the server when silence is unusual, as all others would at the same time", async () => {
    const parts = await start();
    for (let beats = 0; beats < 40; beats += 1) {
      parts.clock.turn(200);
      parts.poll.onmessage({ type: "heartbeat", cursor: "9f2c41aa-1" });
    }
    const { opened } = parts.poll;
    parts.clock.turn(9_000);
    assert.equal(parts.poll.opened, opened);
  });
});
