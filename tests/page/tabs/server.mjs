/** A server in a world whose time tests advance, and the connection of a tab to it. */
import { Pipe } from "./browser.mjs";
/** @import { ConnectionState } from "../../../public/petstore/connection/handover.js" */
/** @import { Answer } from "../../../public/petstore/connection/catch-up.js" */
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { World, WorldTab } from "./world.mjs" */

export const HEARTBEAT_MS = 15_000;
export const PETS = ["1", "2", "3"];
const STATUSES = ["eating", "bathing", "sleeping", "playing"];

/** Number of changes that the server keeps; a reader with an older cursor gets a snapshot. */
const BACKLOG = 600;

/** One link of a tab to the server. */
class Link {
  isOpen = true;
  cancelBeat = () => {};
  #pipe;
  #onmessage;
  #onfail;

  /** @param {WorldTab} tab @param {(message: Message) => void} onmessage @param {(link: Link) => void} onfail */
  constructor(tab, onmessage, onfail) {
    this.tab = tab;
    this.#pipe = new Pipe(tab.world);
    this.#onmessage = onmessage;
    this.#onfail = onfail;
  }

  open() {
    const { tab } = this;
    this.#send(100, () => tab.world.server.open(this, tab.board.cursor));
  }

  close() {
    this.isOpen = false;
  }

  /** @param {Message} message */
  deliver(message) {
    this.#send(40, () => this.#onmessage(message));
  }

  fail() {
    this.tab.run("net", () => this.isOpen && this.#onfail(this));
  }

  /** @param {number} limitMs @param {() => void} act */
  #send(limitMs, act) {
    this.#pipe.send(limitMs, () => this.tab.run("net", () => this.isOpen && act()));
  }
}

/** A connection with one transport, which retries a second after a failure. */
export class FakeConnection {
  onmessage = (/** @type {Message} */ _message) => {};
  onstate = (/** @type {ConnectionState} */ _state) => {};
  isStarted = false;
  /** @type {string[]} */
  events = [];
  #tab;
  /** @type {Link | null} */
  #link = null;

  /** @param {WorldTab} tab */
  constructor(tab) {
    this.#tab = tab;
  }

  start() {
    this.isStarted = true;
    this.onstate({ phase: "connecting" });
    this.#dial();
  }

  stop() {
    this.end();
    this.onstate({ phase: "down" });
  }

  end() {
    this.isStarted = false;
    this.#link?.close();
  }

  wake() {
    this.events.push("wake");
  }

  online() {
    this.events.push("online");
  }

  offline() {
    this.events.push("offline");
  }

  #dial() {
    this.#link = new Link(this.#tab, (message) => this.#receive(message), (link) => this.#failed(link));
    this.#link.open();
  }

  /** @param {Message} message */
  #receive(message) {
    const silenceLimitMs = HEARTBEAT_MS * 1.5 + 2000;
    if (message.type === "hello") this.onstate({ phase: "up", transport: "ws", silenceLimitMs });
    this.onmessage(message);
  }

  /** @param {Link} link */
  #failed(link) {
    link.close();
    this.onstate({ phase: "down" });
    this.#tab.clock.after(1000, () => this.isStarted && this.#dial());
  }
}

export class Server {
  isUp = true;
  heartbeatMs = HEARTBEAT_MS;
  /** The network lets polls through. */
  answersPolls = true;
  /** Delay of the network. */
  slownessMs = 0;
  polls = 0;
  pets = new Map(PETS.map((id) => [id, "eating"]));
  #world;
  #epoch = 0;
  /** @type {Message[]} */
  #log = [];
  /** @type {Set<Link>} */
  #links = new Set();

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  get cursor() {
    return this.#cursorAt(this.#log.length);
  }

  /** @param {number} rev */
  #cursorAt(rev) {
    return `${this.#epoch.toString(16).padStart(8, "0")}-${rev}`;
  }

  change(pet = PETS[this.#world.delay(PETS.length)]) {
    const status = STATUSES[this.#world.delay(STATUSES.length)];
    this.pets.set(pet, status);
    const change = { type: "status", cursor: this.#cursorAt(this.#log.length + 1), pet, status };
    this.#log.push(change);
    for (const link of this.#links) this.#send(link, change);
  }

  stop() {
    this.isUp = false;
    for (const link of this.#links) link.fail();
    this.#links.clear();
  }

  start() {
    this.isUp = true;
  }

  /** Restarts with another epoch. */
  restore() {
    this.stop();
    this.#epoch += 1;
    this.#log = [];
    this.pets = new Map(PETS.map((id) => [id, STATUSES[this.#world.delay(4)]]));
    this.start();
  }

  /** Number of connections that are open in a tab. */
  get viewers() {
    return [...this.#links].filter(({ isOpen }) => isOpen).length;
  }

  /** @param {Link} link @param {string} since */
  open(link, since) {
    if (!this.isUp) return link.fail();
    this.#links.add(link);
    const server_time = new Date(this.#world.now).toISOString();
    this.#send(link, { type: "hello", cursor: this.cursor, heartbeat_ms: this.heartbeatMs, server_time });
    for (const message of this.#missed(since)) this.#send(link, message);
  }

  /**
   * @param {string} since
   * @returns {Message[]}
   */
  #missed(since) {
    const from = parse(since);
    const isServed = from && since === this.#cursorAt(from.rev) && from.rev <= this.#log.length;
    if (isServed && this.#log.length - from.rev <= BACKLOG) return this.#log.slice(from.rev);
    const pets = [...this.pets].map(([id, status]) => ({ id, name: `Pet ${id}`, status }));
    return [{ type: "snapshot", cursor: this.cursor, pets }];
  }

  /** @param {Link} link @param {Message} message */
  #send(link, message) {
    if (!link.isOpen) return void this.#links.delete(link);
    this.#world.at(this.slownessMs, () => link.deliver(message));
    link.cancelBeat();
    link.cancelBeat = this.#world.at(this.heartbeatMs, () => {
      const server_time = new Date(this.#world.now).toISOString();
      if (this.#links.has(link)) this.#send(link, { type: "heartbeat", cursor: this.cursor, server_time });
    });
  }

  /**
   * Answers a poll that does not wait.
   * @param {WorldTab} tab
   * @param {string} since
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  answer(tab, since, signal) {
    this.polls += 1;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.#world.at(this.#world.delay(50), () => {
        const missed = this.isUp && this.answersPolls ? this.#missed(since) : null;
        const hello = { type: "hello", cursor: since };
        const arrive = () => (missed ? resolve({ hello, messages: missed, roundTripMs: 50 }) : reject(new TypeError("network")));
        this.#world.at(this.#world.delay(50), () => tab.run("poll", arrive));
      });
    });
  }
}

/** Returns the parts of a cursor. @param {string | undefined} cursor */
export function parse(cursor) {
  if (!cursor) return null;
  const [epoch, rev] = cursor.split("-");
  return { epoch, rev: Number(rev) };
}
