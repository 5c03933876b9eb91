/**
 * The page's whole network code, in the hands of chance: changes are made while rungs are refused, held back, eaten, cut
 * and delayed, the server stops and the network goes, the page sleeps, is left and comes back. Whatever
 * happens, what the page shows was true at its cursor, nothing comes twice, and nothing goes back.
 *
 * A run is repeated with `PET_STORE_TEST_SEED=<seed>`, as a failure prints it; `PET_STORE_TEST_RUNS=<n>` makes more.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelNetwork, RULES } from "./support/model-network.mjs";
import { boardText, ModelServer } from "./support/model-server.mjs";
import { chance, FakeClock } from "./support/fakes.mjs";
import { openConnection } from "../../public/live/open-connection.js";
import { Board } from "../../public/state/board.js";
import { EventLoop } from "../../public/live/connection/event-loop-monitor.js";
import { ServerClock } from "../../public/state/server-clock.js";

const RUNS = Number(process.env.PET_STORE_TEST_RUNS ?? 25);
const SEEDS = process.env.PET_STORE_TEST_SEED
  ? [Number(process.env.PET_STORE_TEST_SEED)]
  : Array.from({ length: RUNS }, (_, run) => 1000 + run);

const EVENTS = 60;

/** After everything is well again: a link that died without a word is found by its silence, and then there is a race. */
const CONVERGE_MS = 45_000;

/** The longest wait for the next climb, and two tries at it. */
const CLIMB_MS = 31 * 60_000;

/** Without changes, for the last one to arrive, also where all that is left of a network is four seconds late. */
const QUIET_MS = 4_500;

/** A page in a world of its own, and what must hold for each message that it is given. */
class World {
  constructor(seed) {
    const random = chance(seed);
    this.pick = (from, below) => from + Math.floor(random() * (below - from));
    this.clock = new FakeClock();
    this.server = new ModelServer(this.clock, this.pick);
    this.network = new ModelNetwork(this.clock, this.pick, this.server);
    this.browser = this.network.browser;
    this.board = new Board(this.server.cursor, this.server.pets);
    this.states = [];
    this.given = new Set();
    this.connection = openConnection({
      browser: this.browser,
      clock: this.clock,
      serverClock: new ServerClock(this.clock),
      eventLoop: new EventLoop(this.clock),
      random,
      watch: { origin: "http://model.example", pets: [] },
      since: () => this.board.cursor,
    });
    this.connection.onstate = (state) => this.states.push(state);
    this.connection.onmessage = (message) => this.hear(message);
  }

  hear(message) {
    const before = this.board.cursor;
    this.board.apply(message);
    const { cursor } = this.board;
    if (["status", "pet", "gone"].includes(message.type)) {
      assert.ok(!this.given.has(message.cursor), `${message.cursor} is given twice`);
      assert.equal(cursor, message.cursor, "what is given is news");
      this.given.add(message.cursor);
    }
    const [epoch, rev] = before.split("-");
    const [newEpoch, newRev] = cursor.split("-");
    assert.ok(epoch !== newEpoch || Number(newRev) >= Number(rev), `from ${before} back to ${cursor}`);
    assert.equal(this.shown, this.server.boards.get(cursor), `the board of ${cursor}, after ${message.type}`);
  }

  get shown() {
    return boardText(this.board.pets.values());
  }

  get rung() {
    const state = this.states.at(-1);
    return state.phase === "up" ? state.transport : state.phase;
  }

  /** One thing that happens. */
  async disturb() {
    const { pick, server, network, connection, clock, browser } = this;
    const oneOf = (list) => list[pick(0, list.length)];
    const rung = oneOf(Object.keys(RULES));
    const events = [
      () => (network.rules[rung] = oneOf(RULES[rung])),
      () => (network.rules[rung] = oneOf(RULES[rung])),
      () => network.forget(),
      () => (network.isLossy = !network.isLossy),
      () => (network.isCut ? network.mend() : network.cut()),
      () => (server.isUp ? server.stop(pick(0, 2) === 1) : (server.isUp = true)),
      () => clock.block(pick(1_000, 30_000)),
      () => clock.jump(pick(-3_600_000, 3_600_000)),
      () => connection.wake(),
      () => (connection.offline(), connection.online()),
      () => (browser.navigator.connection.saveData = pick(0, 2) === 1),
      async () => (connection.stop(), await this.live(pick(0, 20_000)), connection.start()),
      () => pick(0, 5) === 0 && (server.stop(true), server.beginHistory(), (server.isUp = true)),
    ];
    await oneOf(events)();
  }

  /** Time passes, and changes are made. */
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
    this.browser.navigator.connection.saveData = false;
  }
}

for (const seed of SEEDS) {
  test(`no change is missed, repeated or taken back, and the page comes back to WebSocket (seed ${seed})`, async () => {
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
    await world.live(CLIMB_MS);
    await world.clock.run(QUIET_MS);
    assert.equal(world.shown, world.server.board);
    assert.equal(world.rung, "ws");
    assert.deepEqual(world.network.open, ["ws"], "nothing else is left open");
    world.connection.stop();
    assert.deepEqual(world.network.open, []);
  });
}
