/**
 * How soon a page is live on networks that block transports or are slow, and what a page costs the server: its whole network
 * code on a model network.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "../../public/petstore/board/board.js";
import { EventLoopMonitor } from "../../public/petstore/connection/event-loop-monitor.js";
import { ServerClock } from "../../public/petstore/connection/server-clock.js";
import { openConnection } from "../../public/petstore/open-connection.js";
import { fake, FakeClock, seededRandom } from "./support/fakes.mjs";
import { ModelNetwork } from "./support/model-network.mjs";
import { ModelServer } from "./support/model-server.mjs";
/** @import { ConnectionState } from "../../public/petstore/connection/handover.js" */
/** @import { Browser } from "../../public/petstore/open-connection.js" */
/** @import { TransportName } from "../../public/petstore/transports/transport.js" */

/** Around the world and back. */
const LATENCY_MS = 75;
const ROUND_TRIP_MS = 2 * LATENCY_MS;

/** @typedef {Partial<Record<TransportName, string>>} Rules */

/** A server and a network, on which pages are opened. */
class World {
  clock = new FakeClock();
  #random = seededRandom(7);
  #pick = (/** @type {number} */ from, /** @type {number} */ below) => from + Math.floor(this.#random() * (below - from));
  server = new ModelServer(this.clock, this.#pick);
  network = new ModelNetwork(this.clock, this.#pick, this.server);

  /** @param {{ rules?: Rules, latencyMs?: number, headMs?: number }} [options] */
  constructor({ rules = {}, latencyMs = LATENCY_MS, headMs = 0 } = {}) {
    Object.assign(this.network.rules, rules);
    Object.assign(this.network, { latencyMs, headMs });
    // A page is rendered, and one change is committed before its script runs.
    this.rendered = { cursor: this.server.cursor, pets: this.server.pets };
    this.server.commit();
  }

  /** Opens a page in this browser. @param {Browser} [browser] */
  open(browser = this.network.browser) {
    const { clock, server } = this;
    const board = new Board(this.rendered.cursor, this.rendered.pets);
    const startMs = clock.elapsed();
    const connection = openConnection({
      browser,
      clock,
      serverClock: new ServerClock(clock),
      eventLoop: new EventLoopMonitor(clock),
      random: this.#random,
      watch: { site: "http://model.example", pets: [] },
      since: () => board.cursor,
    });
    const page = { connection, liveMs: Infinity, currentMs: Infinity, transport: "" };
    connection.onstate = (/** @type {ConnectionState} */ state) => {
      if (state.phase !== "up") return;
      page.liveMs = Math.min(page.liveMs, clock.elapsed() - startMs);
      page.transport = state.transport;
    };
    connection.onmessage = (message) => {
      board.apply(message);
      if (board.cursor === server.cursor) page.currentMs = Math.min(page.currentMs, clock.elapsed() - startMs);
    };
    connection.start();
    return page;
  }
}

/** @param {{ rules?: Rules, latencyMs?: number, headMs?: number }} options @param {number} ms */
async function visit(options, ms) {
  const world = new World(options);
  const page = world.open();
  await world.clock.run(ms);
  return { ...world, ...page };
}

const FATES = ["pass", "refuse", "eat"];
const COMBINATIONS = FATES.flatMap((ws) => FATES.flatMap((sse) => FATES.map((poll) => ({ ws, sse, poll }))));

for (const rules of COMBINATIONS) {
  const { ws, sse, poll } = rules;
  const hasStream = ws === "pass" || sse === "pass";
  const hasPoll = poll === "pass";
  const isSilent = ws === "eat" || sse === "eat";
  // Without a stream, polling waits until the streams were refused, or for two round trips.
  const bound = hasStream ? ROUND_TRIP_MS : hasPoll ? (isSilent ? 2 * ROUND_TRIP_MS + 50 : ROUND_TRIP_MS) : 9_600;
  test(`a first visit is live after ${bound} ms if the network does to ws ${ws}, to sse ${sse}, to poll ${poll}`, async () => {
    const { liveMs, currentMs, transport } = await visit({ rules }, 9_900);
    assert.ok(liveMs <= bound, `live after ${liveMs} ms`);
    if (hasStream || hasPoll) assert.ok(currentMs <= ROUND_TRIP_MS, `current after ${currentMs} ms`);
    else assert.equal(transport, "short");
  });
}

test("the best transport that works is in use within twenty seconds, and nothing else is open", async () => {
  for (const rules of COMBINATIONS) {
    const { transport, network } = await visit({ rules }, 25_000);
    const streams = /** @type {const} */ (["ws", "sse"]).filter((name) => rules[name] === "pass");
    const [best] = [...streams, ...(rules.poll === "pass" ? ["poll"] : []), "short"];
    assert.equal(transport, best, JSON.stringify(rules));
    assert.deepEqual(network.open.filter((name) => network.rules[name] === "pass"), streams.slice(0, 1), JSON.stringify(rules));
  }
});

for (const { what, options, boundMs } of [
  { what: "every response head is 2.5 s late", options: { headMs: 2_500 }, boundMs: 5_000 },
  { what: "every packet takes 600 ms", options: { latencyMs: 600 }, boundMs: 3_000 },
]) {
  test(`on a network on which ${what}, every page is live within ${boundMs} ms, and tries each transport once`, async () => {
    for (const rules of COMBINATIONS) {
      if (rules.ws !== "pass" && rules.sse !== "pass" && rules.poll !== "pass") continue;
      const { liveMs, network } = await visit({ ...options, rules }, 9_000);
      const text = JSON.stringify(rules);
      assert.ok(liveMs <= boundMs, `${text}: live after ${liveMs} ms`);
      const count = (/** @type {string} */ name) => network.requests.filter((request) => request === name).length;
      assert.ok(count("ws") <= 1 && count("sse") <= 1 && count("short") === 0 && count("poll") <= 4, `${text}: ${network.requests}`);
    }
  });
}

test("a second visit costs the server one connection, and one poll that does not wait", async () => {
  const world = new World();
  const { browser } = world.network;
  const first = world.open(browser);
  await world.clock.run(30_000);
  assert.equal(first.transport, "ws");
  first.connection.stop();
  world.network.requests.length = 0;
  const second = world.open(browser);
  await world.clock.run(60_000);
  assert.deepEqual(world.network.requests.sort(), ["poll", "ws"]);
  assert.equal(second.liveMs, ROUND_TRIP_MS);
});

/** @type {[string, (server: ModelServer) => void][]} */
const STOPS = [
  ["says when to come back", (server) => server.stop(false)],
  ["is killed", (server) => server.stop(true)],
];
for (const [how, stop] of STOPS) {
  test(`after a server ${how}, a crowd sends it one request each, even if it is slow`, async () => {
    const world = new World();
    const pages = Array.from({ length: 50 }, () => world.open());
    await world.clock.run(30_000);
    world.network.requests.length = 0;
    stop(world.server);
    await world.clock.run(700);
    world.network.headMs = 2_000;
    world.server.isUp = true;
    await world.clock.run(30_000);
    const others = world.network.requests.filter((name) => name !== "ws");
    assert.equal(world.network.requests.length - others.length, 50);
    assert.ok(others.length <= 2, `the third attempt of a few pages tries all: ${others}`);
    assert.ok(pages.every(({ transport }) => transport === "ws"));
  });
}

test("where every response head is 2.5 s late, a WebSocket that is killed each time is left for SSE", async () => {
  const { transport } = await visit({ headMs: 2_500, rules: { ws: "kill", sse: "pass" } }, 40_000);
  assert.equal(transport, "sse");
  const { transport: alone } = await visit({ headMs: 2_500, rules: { ws: "kill", sse: "refuse" } }, 60_000);
  assert.equal(alone, "poll");
});

test("a page that becomes the leader after the answer to its first poll does not ask again", async () => {
  const world = new World();
  const { browser } = world.network;
  const grant = (/** @type {() => unknown} */ act) => world.clock.after(2 * ROUND_TRIP_MS, act);
  const request = (/** @type {string} */ _name, /** @type {object} */ _options, /** @type {(lock: object) => unknown} */ act) =>
    new Promise((resolve) => grant(() => resolve(act({}))));
  class Channel {
    postMessage() {}
    close() {}
  }
  const page = world.open(fake({ ...browser, navigator: { ...browser.navigator, locks: { request } }, BroadcastChannel: Channel }));
  await world.clock.run(4_000);
  assert.equal(page.currentMs, ROUND_TRIP_MS);
  assert.equal(page.liveMs, 3 * ROUND_TRIP_MS);
  assert.deepEqual(world.network.requests.sort(), ["poll", "sse", "ws"]);
});
