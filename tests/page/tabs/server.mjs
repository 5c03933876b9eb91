/** A server in a world whose time is turned by hand, and the connection to it. */
import { Pipe } from "./browser.mjs";

export const HEARTBEAT_MS = 15_000;
export const PETS = ["1", "2", "3"];
const STATUSES = ["eating", "bathing", "sleeping", "playing"];

/** Changes that the server still has one by one; who is further behind gets a snapshot. */
const SERVER_BACKLOG = 600;

/** A connection that is always of the same kind, and tries again a second after it failed. */
export class FakeConnection {
  onmessage = () => {};
  onstate = () => {};
  isStarted = false;
  turns = [];
  #tab;
  #link = null;

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
    this.turns.push("wake");
  }

  online() {
    this.turns.push("online");
  }

  offline() {
    this.turns.push("offline");
  }

  #dial() {
    const { world } = this.#tab;
    const link = { isOpen: true, tab: this.#tab, pipe: new Pipe(world), cancelBeat: () => {} };
    this.#link = link;
    link.close = () => (link.isOpen = false);
    link.deliver = (message) =>
      link.pipe.send(40, () => this.#tab.run("net", () => link.isOpen && this.#heard(message)));
    link.fail = () => this.#tab.run("net", () => link.isOpen && this.#failed(link));
    link.pipe.send(100, () => this.#tab.run("net", () => link.isOpen && world.server.open(link, this.#tab.board.cursor)));
  }

  #heard(message) {
    const silenceLimitMs = HEARTBEAT_MS * 1.5 + 2000;
    if (message.type === "hello") this.onstate({ phase: "up", transport: "ws", silenceLimitMs });
    this.onmessage(message);
  }

  #failed(link) {
    link.close();
    this.onstate({ phase: "down" });
    this.#tab.clock.after(1000, () => this.isStarted && this.#dial());
  }
}

export class Server {
  isUp = true;
  heartbeatMs = HEARTBEAT_MS;
  /** Whether the network lets a poll through. */
  answersPolls = true;
  /** How long the network holds messages back. */
  slownessMs = 0;
  polls = 0;
  pets = new Map(PETS.map((id) => [id, "eating"]));
  #world;
  #epoch = 0;
  #log = [];
  #links = new Set();

  constructor(world) {
    this.#world = world;
  }

  get cursor() {
    return this.#cursorAt(this.#log.length);
  }

  #cursorAt(rev) {
    return `${this.#epoch.toString(16).padStart(8, "0")}-${rev}`;
  }

  change(pet = PETS[this.#world.delay(PETS.length)]) {
    const status = STATUSES[this.#world.delay(STATUSES.length)];
    this.pets.set(pet, status);
    this.#log.push({ type: "status", cursor: this.#cursorAt(this.#log.length + 1), pet, status });
    for (const link of this.#links) this.#send(link, this.#log.at(-1));
  }

  stop() {
    this.isUp = false;
    for (const link of this.#links) link.fail();
    this.#links.clear();
  }

  start() {
    this.isUp = true;
  }

  /** Comes back with another history. */
  restore() {
    this.stop();
    this.#epoch += 1;
    this.#log = [];
    this.pets = new Map(PETS.map((id) => [id, STATUSES[this.#world.delay(4)]]));
    this.start();
  }

  /** Connections that somebody who runs listens to. */
  get viewers() {
    return [...this.#links].filter(({ isOpen }) => isOpen).length;
  }

  open(link, since) {
    if (!this.isUp) return link.fail();
    this.#links.add(link);
    const server_time = new Date(this.#world.now).toISOString();
    this.#send(link, { type: "hello", cursor: this.cursor, heartbeat_ms: this.heartbeatMs, server_time });
    for (const message of this.#missed(since)) this.#send(link, message);
  }

  #missed(since) {
    const from = parse(since);
    const isServed = from && since === this.#cursorAt(from.rev) && from.rev <= this.#log.length;
    if (isServed && this.#log.length - from.rev <= SERVER_BACKLOG) return this.#log.slice(from.rev);
    const pets = [...this.pets].map(([id, status]) => ({ id, name: `Pet ${id}`, status }));
    return [{ type: "snapshot", cursor: this.cursor, pets }];
  }

  #send(link, message) {
    if (!link.isOpen) return this.#links.delete(link);
    this.#world.at(this.slownessMs, () => link.deliver(message));
    link.cancelBeat();
    link.cancelBeat = this.#world.at(this.heartbeatMs, () => {
      const server_time = new Date(this.#world.now).toISOString();
      if (this.#links.has(link)) this.#send(link, { type: "heartbeat", cursor: this.cursor, server_time });
    });
  }

  /** A poll that does not wait. */
  answer(tab, since, signal) {
    this.polls += 1;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.#world.at(this.#world.delay(50), () => {
        const missed = this.isUp && this.answersPolls ? this.#missed(since) : null;
        const arrive = () => (missed ? resolve(missed) : reject(new TypeError("network")));
        this.#world.at(this.#world.delay(50), () => tab.run("poll", arrive));
      });
    });
  }
}

/** The two parts of a cursor; null for none. */
export function parse(cursor) {
  if (!cursor) return null;
  const [epoch, rev] = cursor.split("-");
  return { epoch, rev: Number(rev) };
}
