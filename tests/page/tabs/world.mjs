/**
 * A browser with several tabs, and a server, as far as tabs that share a connection meet them: locks, a channel, delays
 * by chance, tabs that freeze with everything that waits for them, close or crash. Time is turned by hand.
 *
 * Every page checks with each message that it is shown each change once and in order.
 */
import assert from "node:assert/strict";
import { chance, settle } from "../support/fakes.mjs";
import { channelOf, Locks } from "./browser.mjs";
import { FakeConnection, parse, PETS, Server } from "./server.mjs";
import { Board } from "../../../public/state/board.js";
import { SharedConnection } from "../../../public/live/tabs/shared-connection.js";

export class World {
  now = Date.parse("2024-05-01T12:00:00Z");
  /** @type {WorldTab[]} Those that were neither closed nor crashed. */
  tabs = [];
  /** Which notes between tabs get lost. */
  loses = (_note, _tab) => false;
  /** The latest first. */
  #events = [];

  /** @param {{ seed?: number, hasLocks?: boolean }} [options]  Over plain http browsers have no locks. */
  constructor({ seed = 1, hasLocks = true } = {}) {
    this.hasLocks = hasLocks;
    this.random = chance(seed);
    this.server = new Server(this);
    this.locks = new Locks(this);
    this.channels = new Set();
  }

  /** Something that happens later; order is kept among what happens at the same time. */
  at(delayMs, act) {
    const event = { at: this.now + delayMs, act };
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].at > event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return () => (event.act = () => {});
  }

  /** A delay by chance, at most this long. */
  delay(limitMs) {
    return Math.floor(this.random() * limitMs);
  }

  async turn(ms) {
    const until = this.now + ms;
    await settle();
    while (this.#events.length > 0 && this.#events.at(-1).at <= until) {
      const { at, act } = this.#events.pop();
      this.now = at;
      act();
      await settle();
    }
    this.now = until;
  }

  openTab(options) {
    const tab = new WorldTab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  get awake() {
    return this.tabs.filter((tab) => !tab.isFrozen && tab.isHere);
  }

  /** Tabs that run and have a connection: one, but for the moment of a handover. */
  get leaders() {
    return this.awake.filter((tab) => tab.connections.some((connection) => connection.isStarted));
  }
}

class WorldTab {
  isFrozen = false;
  /** On the screen or in the background, and not in the back/forward cache. */
  isHere = true;
  isHidden;
  connections = [];
  states = [];
  heard = [];
  #beganAt;
  #isDead = false;
  #held = [];

  /**
   * @param {World} world
   * @param {object} [options]
   * @param {string[]} [options.pets]  None: the index. One: a show page.
   * @param {boolean} [options.hasCursor]  The hello page has none.
   */
  constructor(world, { pets = [], hasCursor = true, isHidden = false, parts = {} } = {}) {
    this.world = world;
    this.#beganAt = world.now;
    this.isHidden = isHidden;
    const { server } = world;
    const drawn = [...server.pets].filter(([id]) => pets.length === 0 || pets.includes(id));
    this.board = new Board(
      hasCursor ? server.cursor : "",
      drawn.map(([id, status]) => ({ id, name: `Pet ${id}`, status })),
    );
    this.isChecked = hasCursor;
    this.pets = pets;
    this.clock = { now: () => world.now, after: (delayMs, act) => this.#after(delayMs, act) };
    this.connection = new SharedConnection({
      clock: this.clock,
      random: world.random,
      since: () => this.board.cursor,
      name: "petstore-live",
      pets,
      isHidden: () => this.isHidden,
      locks: world.hasLocks ? world.locks.of(this) : undefined,
      BroadcastChannel: channelOf(this),
      connect: () => {
        const connection = new FakeConnection(this);
        this.connections.push(connection);
        return connection;
      },
      missedSince: (since, signal) => server.answer(this, since, signal),
      ...parts,
    });
    this.connection.onstate = (state) => this.states.push(state.phase);
    this.connection.onmessage = (message) => this.#show(message);
  }

  /** A timer, which can be cancelled also while it is held. A hidden tab has its timers run once a second. */
  #after(delayMs, act) {
    let isCancelled = false;
    const isDue = () => this.run("timer", () => !isCancelled && act());
    const lateMs = this.isHidden ? 1000 - ((this.world.now + delayMs - this.#beganAt) % 1000) : 0;
    this.world.at(delayMs + lateMs, isDue);
    return () => (isCancelled = true);
  }

  start() {
    this.connection.start();
    return this;
  }

  /** A task of the page, from one of the browser's sources. */
  run(source, task) {
    if (this.#isDead) return;
    if (this.isFrozen && !(this.hearsChannel && source.startsWith("channel"))) this.#held.push({ source, task });
    else task();
  }

  #show(message) {
    this.heard.push(message);
    const known = parse(this.board.cursor);
    const told = parse(message.cursor);
    if (this.isChecked && message.type !== "hello" && told) {
      if (message.type === "snapshot") {
        assert.ok(told.epoch !== known.epoch || told.rev >= known.rev, "time does not run backwards");
      } else if (message.type === "status" || told.rev > known.rev) {
        assert.deepEqual(told, { epoch: known.epoch, rev: known.rev + 1 }, `${message.type}: next, once`);
      }
    }
    if (message.type === "status" && this.pets.length > 0) assert.ok(this.pets.includes(message.pet), "of this page");
    this.board.apply(message);
  }

  /** What the page shows, e.g. `{"1":"eating"}`. */
  get shown() {
    return Object.fromEntries([...this.board.pets].map(([id, { status }]) => [id, status]));
  }

  get isCurrent() {
    const ids = this.pets.length > 0 ? this.pets : PETS;
    const { cursor, pets } = this.world.server;
    return this.board.cursor === cursor && ids.every((id) => this.shown[id] === pets.get(id));
  }

  /** Goes into the back/forward cache: what comes from now on is lost. */
  leave() {
    this.connection.stop();
    this.isHere = false;
  }

  comeBack() {
    this.isHere = true;
    this.connection.start();
  }

  /** `hearsChannel`: as in Chromium, where the other tabs are heard and answered, and nothing else goes on. */
  freeze({ isTold = false, hearsChannel = false } = {}) {
    this.hearsChannel = hearsChannel;
    if (isTold) this.connection.stop();
    this.#held = [{ source: "told", task: () => isTold && this.isHere && this.connection.start() }];
    this.isFrozen = true;
  }

  /** What waited runs, in order within each of the browser's sources, and otherwise as chance will have it. */
  thaw() {
    this.isFrozen = false;
    const sources = groups(this.#held);
    this.#held = [];
    const lines = [...sources.values()];
    const next = () => {
      const waiting = lines.filter((line) => line.length > 0);
      if (waiting.length === 0) return;
      waiting[this.world.delay(waiting.length)].shift().task();
      this.world.at(0, () => this.run("thaw", next));
    };
    next();
  }

  close() {
    this.connection.stop();
    this.crash();
  }

  crash() {
    this.#isDead = true;
    this.world.tabs.splice(this.world.tabs.indexOf(this), 1);
    for (const connection of this.connections) connection.end();
    for (const channel of this.world.channels) if (channel.tab === this) this.world.channels.delete(channel);
    this.world.locks.bury(this);
  }
}

function groups(held) {
  const sources = new Map();
  for (const task of held) sources.set(task.source, [...(sources.get(task.source) ?? []), task]);
  return sources;
}
