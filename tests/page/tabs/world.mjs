/**
 * A browser with several tabs, and a server, as far as tabs that share a connection use them: locks, a channel, random
 * delays, and tabs that freeze with all their tasks, close or crash. Tests advance the time.
 *
 * Every page checks with each message that it receives each change once and in order.
 */
import assert from "node:assert/strict";
import { SharedConnection } from "../../../public/petstore/tabs/shared-connection.js";
import { Board } from "../../../public/petstore/board/board.js";
import { fake, seededRandom, settle } from "../support/fakes.mjs";
import { channelOf, Locks } from "./browser.mjs";
import { FakeConnection, parse, PETS, Server } from "./server.mjs";
/** @import { TabMessage } from "../../../public/petstore/tabs/tab-message.js" */
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Channel } from "./browser.mjs" */

/**
 * @typedef {object} TabOptions
 * @property {string[]} [pets]  Empty: the index. One: a show page.
 * @property {boolean} [hasCursor]  The hello page has none.
 * @property {boolean} [isHidden]
 * @property {object} [parts]  Options of the connection that differ.
 */

export class World {
  now = Date.parse("2024-05-01T12:00:00Z");
  /** @type {WorldTab[]} Tabs that were neither closed nor crashed. */
  tabs = [];
  /** @type {(message: TabMessage, tab: WorldTab) => boolean} Which messages between tabs get lost. */
  loses = () => false;
  /** @type {Set<Channel>} */
  channels = new Set();
  /** Latest first. @type {{ at: number, act: () => void }[]} */
  #events = [];

  /** @param {{ seed?: number, hasLocks?: boolean }} [options]  Over plain http browsers have no locks. */
  constructor({ seed = 1, hasLocks = true } = {}) {
    this.hasLocks = hasLocks;
    this.random = seededRandom(seed);
    this.server = new Server(this);
    this.locks = new Locks(this);
  }

  /**
   * Schedules an event. Simultaneous events keep their order.
   * @param {number} delayMs
   * @param {() => void} act
   * @returns {() => void} Cancels it.
   */
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

  /** Returns a random delay below the limit. @param {number} limitMs */
  delay(limitMs) {
    return Math.floor(this.random() * limitMs);
  }

  /** Advances the time. @param {number} ms */
  async turn(ms) {
    const until = this.now + ms;
    await settle();
    for (let event = this.#events.at(-1); event && event.at <= until; event = this.#events.at(-1)) {
      this.#events.pop();
      this.now = event.at;
      event.act();
      await settle();
    }
    this.now = until;
  }

  /** @param {TabOptions} [options] */
  openTab(options) {
    const tab = new WorldTab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  get awake() {
    return this.tabs.filter((tab) => !tab.isFrozen && tab.isHere);
  }

  /** Running tabs with a connection: one, except during a handover. */
  get leaders() {
    return this.awake.filter((tab) => tab.connections.some((connection) => connection.isStarted));
  }
}

/** @typedef {{ source: string, task: () => void }} Task */

export class WorldTab {
  isFrozen = false;
  /** On the screen or in the background, and not in the back/forward cache. */
  isHere = true;
  isHidden;
  hearsChannel = false;
  /** @type {FakeConnection[]} */
  connections = [];
  /** @type {string[]} */
  states = [];
  /** @type {Message[]} */
  received = [];
  #startedAt;
  #isDead = false;
  /** @type {Task[]} */
  #held = [];

  /** @param {World} world @param {TabOptions} [options] */
  constructor(world, { pets = [], hasCursor = true, isHidden = false, parts = {} } = {}) {
    this.world = world;
    this.#startedAt = world.now;
    this.isHidden = isHidden;
    const { server } = world;
    const drawn = [...server.pets].filter(([id]) => pets.length === 0 || pets.includes(id));
    this.board = new Board(
      hasCursor ? server.cursor : "",
      drawn.map(([id, status]) => ({ id, name: `Pet ${id}`, status })),
    );
    this.isChecked = hasCursor;
    this.pets = pets;
    this.clock = {
      now: () => world.now,
      elapsed: () => world.now,
      after: (/** @type {number} */ delayMs, /** @type {() => void} */ act) => this.#after(delayMs, act),
      soon: (/** @type {() => void} */ act) => void this.#after(0, act),
    };
    this.connection = new SharedConnection({
      clock: this.clock,
      random: world.random,
      since: () => this.board.cursor,
      name: "petstore-live",
      pets,
      isHidden: () => this.isHidden,
      locks: world.hasLocks ? world.locks.of(this) : undefined,
      BroadcastChannel: channelOf(this),
      connect: (petsOfAll, position, isHidden) => {
        const connection = new FakeConnection(this, petsOfAll, position, isHidden);
        this.connections.push(connection);
        return fake(connection);
      },
      catchUp: {
        run: (since, signal, watched = pets) => ((server.polls += 1), server.answer(this, since, signal, watched)),
      },
      ...parts,
    });
    this.connection.onstate = (state) => this.states.push(state.phase);
    this.connection.onmessage = (message) => this.#show(message);
  }

  /**
   * Starts a timer, which can be cancelled while it is held. In a hidden tab timers run once a second.
   * @param {number} delayMs
   * @param {() => void} act
   */
  #after(delayMs, act) {
    let isCancelled = false;
    const isDue = () => this.run("timer", () => void (isCancelled || act()));
    const lateMs = this.isHidden ? 1000 - ((this.world.now + delayMs - this.#startedAt) % 1000) : 0;
    this.world.at(delayMs + lateMs, isDue);
    return () => void (isCancelled = true);
  }

  start() {
    this.connection.start();
    return this;
  }

  /**
   * Runs a task of the page, from one of the browser's task sources.
   * @param {string} source
   * @param {() => void} task
   */
  run(source, task) {
    if (this.#isDead) return;
    if (this.isFrozen && !(this.hearsChannel && source.startsWith("channel"))) this.#held.push({ source, task });
    else task();
  }

  /** @param {Message} message */
  #show(message) {
    this.received.push(message);
    const known = parse(this.board.cursor);
    const told = parse(message.cursor);
    if (this.isChecked && message.type !== "hello" && known && told) {
      if (message.type === "snapshot") {
        assert.ok(told.epoch !== known.epoch || told.rev >= known.rev, "nothing goes back in time");
      } else if (message.type === "status" || told.rev > known.rev) {
        assert.ok(told.epoch === known.epoch && told.rev > known.rev, `${message.type}: once`);
        const [from, to] = [known.rev, message.type === "status" ? told.rev - 1 : told.rev];
        const missed = this.world.server.changes({ epoch: known.epoch, from, to, pets: this.pets });
        assert.deepEqual(missed, [], `${message.type} at ${message.cursor}: next`);
      }
    }
    if (message.type === "status" && this.pets.length > 0) assert.ok(this.pets.includes(message.pet), "of this page");
    this.board.apply(message);
  }

  /** The statuses on the page, e.g. `{"1":"eating"}`. @returns {Record<string, string | undefined>} */
  get shown() {
    return Object.fromEntries([...this.board.pets].map(([id, { status }]) => [id, status]));
  }

  get isCurrent() {
    const ids = this.pets.length > 0 ? this.pets : PETS;
    const { server } = this.world;
    return !server.hasNews(this.board.cursor, this.pets) && ids.every((id) => this.shown[id] === server.pets.get(id));
  }

  /** The page shows other pets, of which it knows nothing yet. @param {string[]} pets */
  setPets(pets) {
    this.pets = pets;
    this.board = new Board("");
    this.connection.setPets(pets);
  }

  /** Enters the back/forward cache: messages from now on are lost. */
  leave() {
    this.connection.stop();
    this.isHere = false;
  }

  comeBack() {
    this.isHere = true;
    this.connection.start();
  }

  /**
   * `isTold`: the page gets an event. `hearsChannel`: the page still receives and answers messages of other tabs, and does
   * nothing else, as in Chromium.
   */
  freeze({ isTold = false, hearsChannel = false } = {}) {
    this.hearsChannel = hearsChannel;
    if (isTold) this.connection.stop();
    this.#held = [{ source: "told", task: () => void (isTold && this.isHere && this.connection.start()) }];
    this.isFrozen = true;
  }

  /** Runs the held tasks: in order within each task source, and otherwise in random order. */
  thaw() {
    this.isFrozen = false;
    const sources = groups(this.#held);
    this.#held = [];
    const lines = [...sources.values()];
    const next = () => {
      const waiting = lines.filter((line) => line.length > 0);
      if (waiting.length === 0) return;
      waiting[this.world.delay(waiting.length)].shift()?.task();
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

/** @param {Task[]} held */
function groups(held) {
  /** @type {Map<string, Task[]>} */
  const sources = new Map();
  for (const task of held) sources.set(task.source, [...(sources.get(task.source) ?? []), task]);
  return sources;
}
