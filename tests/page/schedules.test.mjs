/**
 * The whole network code of a page under random events: changes are committed while transports are refused, buffered,
 * dropped, cut and delayed, the server stops, the network goes away, and the page sleeps, leaves and comes back. Whatever
 * happens, the page shows what was true at its cursor, no change comes twice, and nothing goes back in time.
 *
 * `PET_STORE_TEST_SEED=<seed>` repeats a run, with the seed that a failure prints; `PET_STORE_TEST_RUNS=<n>` makes more.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLoopMonitor } from "../../public/petstore/connection/event-loop-monitor.js";
import { openConnection } from "../../public/petstore/open-connection.js";
import { Board } from "../../public/petstore/board/board.js";
import { ServerClock } from "../../public/petstore/connection/server-clock.js";
import { FakeClock, last, seededRandom } from "./support/fakes.mjs";
import { ModelNetwork, RULES } from "./support/model-network.mjs";
import { boardText, ModelServer } from "./support/model-server.mjs";
/** @import { ConnectionState } from "../../public/petstore/connection/handover.js" */
/** @import { Message } from "../../public/petstore/protocol/message.js" */
/** @import { TransportName } from "../../public/petstore/transports/transport.js" */

const RUNS = Number(process.env.PET_STORE_TEST_RUNS ?? 25);
const SEEDS = process.env.PET_STORE_TEST_SEED
  ? [Number(process.env.PET_STORE_TEST_SEED)]
  : Array.from({ length: RUNS }, (_, run) => 1000 + run);

const EVENTS = 60;

/** Time until the page is current after everything works again: a dead link is detected, and then there is a race. */
const CONVERGE_MS = 45_000;

/** The longest wait for the next upgrade, and two attempts. */
const UPGRADE_MS = 31 * 60_000;

/** Time for the last change to arrive, also over a network that delays everything by four seconds. */
const QUIET_MS = 4_500;

/** A page with its server and network, which checks every message. */
class World {
  /** @type {ConnectionState[]} */
  states = [];
  /** @type {Set<string>} Cursors of the changes that the page has received. */
  received = new Set();
  clock = new FakeClock();

  /** @param {number} seed */
  constructor(seed) {
    const random = seededRandom(seed);
    this.pick = (/** @type {number} */ from, /** @type {number} */ below) =>
      from + Math.floor(random() * (below - from));
    this.server = new ModelServer(this.clock, this.pick);
    this.network = new ModelNetwork(this.clock, this.pick, this.server);
    this.board = new Board(this.server.cursor, this.server.pets);
    this.connection = openConnection({
      browser: this.network.browser,
      clock: this.clock,
      serverClock: new ServerClock(this.clock),
      eventLoop: new EventLoopMonitor(this.clock),
      random,
      watch: { site: "http://model.example", pets: [] },
      since: () => this.board.cursor,
    });
    this.connection.onstate = (state) => this.states.push(state);
    this.connection.onmessage = (message) => this.receive(message);
  }

  /** @param {Message} message */
  receive(message) {
    const before = this.board.cursor;
    this.board.apply(message);
    const { cursor } = this.board;
    if (["status", "pet", "gone"].includes(message.type)) {
      assert.ok(!this.received.has(message.cursor), `${message.cursor} comes twice`);
      assert.equal(cursor, message.cursor, "the page receives only newer changes");
      this.received.add(message.cursor);
    }
    const [epoch, rev] = before.split("-");
    const [newEpoch, newRev] = cursor.split("-");
    assert.ok(epoch !== newEpoch || Number(newRev) >= Number(rev), `from ${before} back to ${cursor}`);
    assert.equal(this.shown, this.server.boards.get(cursor), `the board of ${cursor}, after ${message.type}`);
  }

  get shown() {
    return boardText(this.board.pets.values());
  }

  get inUse() {
    const state = last(this.states);
    return state.phase === "up" ? state.transport : state.phase;
  }

  /** Causes one random event. */
  async disturb() {
    const { pick, server, network, connection, clock } = this;
    const transport = /** @type {TransportName} */ (Object.keys(RULES)[pick(0, 4)]);
    const rules = RULES[transport];
    /** @type {(() => unknown)[]} */
    const events = [
      () => (network.rules[transport] = rules[pick(0, rules.length)]),
      () => (network.rules[transport] = rules[pick(0, rules.length)]),
      () => network.dropConnections(),
      () => (network.isLossy = !network.isLossy),
      () => (network.isCut ? network.reconnect() : network.cut()),
      () => (server.isUp ? server.stop(pick(0, 2) === 1) : (server.isUp = true)),
      () => clock.block(pick(1_000, 30_000)),
      () => clock.jump(pick(-3_600_000, 3_600_000)),
      () => connection.wake(),
      () => (connection.offline(), connection.online()),
      () => (network.savesData = pick(0, 2) === 1),
      async () => (connection.stop(), await this.live(pick(0, 20_000)), connection.start()),
      () => pick(0, 5) === 0 && (server.stop(true), server.beginEpoch(), (server.isUp = true)),
    ];
    await events[pick(0, events.length)]();
  }

  /** Lets time pass while changes are committed. @param {number} ms */
  async live(ms) {
    for (let left = ms; left > 0; ) {
      const stepMs = Math.min(left, this.pick(20, 8_000));
      await this.clock.run(stepMs);
      left -= stepMs;
      if (this.server.isUp) for (let n = this.pick(0, 3); n > 0; n -= 1) this.server.commit();
    }
  }

  heal() {
    this.server.isUp = true;
    this.network.heal();
  }
}

for (const seed of SEEDS) {
  test(`no change is missed, repeated or reverted, and the page returns to WebSocket (seed ${seed})`, async () => {
    const world = new World(seed);
    world.connection.start();
    for (let event = 0; event < EVENTS; event += 1) {
      await world.disturb();
      await world.live(world.pick(100, 12_000));
    }
    world.heal();
    await world.live(CONVERGE_MS);
    await world.clock.run(QUIET_MS);
    assert.equal(world.shown, world.server.board, "current again");
    await world.live(UPGRADE_MS);
    await world.clock.run(QUIET_MS);
    assert.equal(world.shown, world.server.board);
    assert.equal(world.inUse, "ws");
    assert.deepEqual(world.network.open, ["ws"], "nothing else is left open");
    world.connection.stop();
    assert.deepEqual(world.network.open, []);
  });
}
