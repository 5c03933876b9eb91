/** A server in a world whose time tests advance, and the connection of a tab to it. */
import { isNewer } from "../../../public/petstore/protocol/cursor.js";
import { isChange } from "../../../public/petstore/protocol/message-order.js";
import { covers } from "../../../public/petstore/tabs/pet-filter.js";
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

  /**
   * @param {WorldTab} tab
   * @param {string[]} pets
   * @param {(message: Message) => void} onmessage
   * @param {(link: Link) => void} onfail
   */
  constructor(tab, pets, onmessage, onfail) {
    this.tab = tab;
    this.pets = pets;
    this.#pipe = new Pipe(tab.world);
    this.#onmessage = onmessage;
    this.#onfail = onfail;
  }

  /** @param {string} since */
  open(since) {
    this.#send(100, () => this.tab.world.server.open(this, since));
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
  #since;
  #abort = new AbortController();
  /** @type {Link | null} */
  #link = null;

  /** @param {WorldTab} tab @param {string[]} pets @param {() => string} since @param {() => boolean} isHidden */
  constructor(tab, pets, since, isHidden) {
    this.#tab = tab;
    this.pets = pets;
    this.isHidden = isHidden;
    this.#since = since;
  }

  /** @param {Promise<Answer>} [firstPoll] */
  start(firstPoll) {
    this.isStarted = true;
    this.onstate({ phase: "connecting" });
    this.#dial();
    this.#deliverMissed(this.#since(), firstPoll);
  }

  /** @param {string} since @param {Promise<Answer>} [poll] */
  async #deliverMissed(since, poll = this.#tab.world.server.answer(this.#tab, since, this.#abort.signal, this.pets)) {
    const { messages } = await poll.catch(() => ({ messages: [] }));
    for (const message of messages) {
      const isNext = message.type === "snapshot" ? this.#since() === since : isNewer(message.cursor, this.#since());
      if (isNext && this.isStarted) this.onmessage(message);
    }
  }

  stop() {
    this.end();
    this.onstate({ phase: "down" });
  }

  end() {
    this.isStarted = false;
    this.#abort.abort();
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
    this.#link = new Link(this.#tab, this.pets, (message) => this.#receive(message), (link) => this.#failed(link));
    this.#link.open(this.#since());
  }

  /** @param {Message} message */
  #receive(message) {
    const silenceLimitMs = HEARTBEAT_MS * 1.5 + 2000;
    if (message.type === "hello") this.onstate({ phase: "up", transport: "ws", silenceLimitMs });
    if (isChange(message) && !isNewer(message.cursor, this.#since())) return;
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
  /** Requests of tabs, without those of connections. */
  polls = 0;
  pets = new Map(PETS.map((id) => [id, "eating"]));
  #world;
  #epoch = 0;
  /** Changes of every epoch. @type {Message[][]} */
  #logs = [[]];
  /** @type {Set<Link>} */
  #links = new Set();

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  get cursor() {
    return this.#cursorAt(this.#log.length);
  }

  get #log() {
    return this.#logs[this.#epoch];
  }

  /**
   * Returns the changes of some pets after one rev and up to another one.
   * @param {{ epoch: string, from: number, to: number, pets: string[] }} range
   */
  changes({ epoch, from, to, pets }) {
    return this.#logs[parseInt(epoch, 16)].slice(from, to).filter(({ pet }) => covers(pets, [pet]));
  }

  /** Returns true if a page of these pets is not at the newest change. @param {string} cursor @param {string[]} pets */
  hasNews(cursor, pets) {
    const at = parse(cursor);
    if (!at || at.epoch !== parse(this.cursor)?.epoch) return true;
    return this.changes({ epoch: at.epoch, from: at.rev, to: this.#log.length, pets }).length > 0;
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
    for (const link of this.#links) if (covers(link.pets, [pet])) this.#send(link, change);
  }

  /** Changes the interval, as a viewer may ask. @param {number} heartbeatMs */
  changeHeartbeat(heartbeatMs) {
    this.heartbeatMs = heartbeatMs;
    const heartbeat = { type: "heartbeat", cursor: this.cursor, heartbeat_ms: heartbeatMs };
    for (const link of this.#links) this.#send(link, heartbeat);
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
    this.#logs.push([]);
    this.pets = new Map(PETS.map((id) => [id, STATUSES[this.#world.delay(4)]]));
    this.start();
  }

  /** The filters of the connections that are open in a tab. */
  get filters() {
    return [...this.#links].filter(({ isOpen }) => isOpen).map(({ pets }) => pets.toSorted());
  }

  get viewers() {
    return this.filters.length;
  }

  /** @param {Link} link @param {string} since */
  open(link, since) {
    if (!this.isUp) return link.fail();
    this.#links.add(link);
    const server_time = new Date(this.#world.now).toISOString();
    this.#send(link, { type: "hello", cursor: this.cursor, heartbeat_ms: this.heartbeatMs, server_time });
    for (const message of this.#missed(since, link.pets)) this.#send(link, message);
  }

  /**
   * @param {string} since
   * @param {string[]} watched
   * @returns {Message[]}
   */
  #missed(since, watched) {
    const from = parse(since);
    const isServed = from && since === this.#cursorAt(from.rev) && from.rev <= this.#log.length;
    if (isServed && this.#log.length - from.rev <= BACKLOG) {
      return this.#log.slice(from.rev).filter(({ pet }) => covers(watched, [pet]));
    }
    const shown = [...this.pets].filter(([id]) => covers(watched, [id]));
    const pets = shown.map(([id, status]) => ({ id, name: `Pet ${id}`, status }));
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
   * @param {string[]} pets
   * @returns {Promise<Answer>}
   */
  answer(tab, since, signal, pets) {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.#world.at(this.#world.delay(50), () => {
        const missed = this.isUp && this.answersPolls ? this.#missed(since, pets) : null;
        const hello = { type: "hello", cursor: since };
        if (missed?.length === 0) missed.push({ type: "heartbeat", cursor: this.cursor });
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
