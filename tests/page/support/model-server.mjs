/**
 * The smallest server that keeps the promises of the real one: a history of changes, hello on every connection, the missed
 * changes or a snapshot after it, then each change once, and heartbeats. Changes and heartbeats name the change before them.
 */

/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { FakeClock } from "./fakes.mjs" */

/** @typedef {{ id: number, name: string, status: string, since: string }} ModelPet */

const HEARTBEAT_MS = 15_000;

/** Over SSE, a heartbeat follows every other message within this time. */
const FOLLOW_UP_MS = 250;

/** Number of changes that are kept; a reader with an older cursor gets a snapshot. */
const BACKLOG = 20;

const STATUSES = ["eating", "bathing", "sleeping", "playing"];

export class ModelServer {
  isUp = true;
  /** Every board there ever was as a text, by its cursor. @type {Map<string, string>} */
  boards = new Map();
  #clock;
  #pick;
  #epoch = "";
  /** @type {Message[]} The change with rev `n` is at `n - 1`. */
  #changes = [];
  /** @type {Map<number, ModelPet>} */
  #pets = new Map();
  /** @type {Set<Viewer>} */
  #viewers = new Set();

  /**
   * @param {FakeClock} clock
   * @param {(from: number, below: number) => number} pick  Returns a random integer.
   */
  constructor(clock, pick) {
    this.#clock = clock;
    this.#pick = pick;
    this.beginEpoch();
  }

  /** Replaces the store: another epoch, other pets, revs from the start. */
  beginEpoch() {
    this.#epoch = this.#pick(0, 2 ** 32).toString(16).padStart(8, "0");
    this.#changes = [];
    this.#pets.clear();
    for (let id = 1; id <= 4; id += 1) this.#pets.set(id, this.#pet(id));
    this.#recordBoard();
  }

  get cursor() {
    return `${this.#epoch}-${this.#changes.length}`;
  }

  get board() {
    return boardText(this.#pets.values());
  }

  get pets() {
    return [...this.#pets.values()].map((pet) => ({ ...pet, id: String(pet.id) }));
  }

  /** Commits a random change. */
  commit() {
    const id = this.#pick(1, 7);
    const cursor = `${this.#epoch}-${this.#changes.length + 1}`;
    const change = { cursor, after: this.cursor, pet: id, ...this.#randomChange(id) };
    this.#changes.push(change);
    this.#recordBoard();
    for (const viewer of this.#viewers) viewer.send(change);
  }

  /**
   * @param {number} id
   * @returns {Message}
   */
  #randomChange(id) {
    const pet = this.#pets.get(id);
    const type = pet ? ["status", "status", "status", "status", "pet", "gone"][this.#pick(0, 6)] : "pet";
    if (type === "gone") {
      this.#pets.delete(id);
      return { type };
    }
    const changed = !pet
      ? this.#pet(id)
      : type === "status"
        ? { ...pet, status: this.#status(), since: this.time() }
        : { ...pet, name: `Pet ${id}, again` };
    this.#pets.set(id, changed);
    const { name, status, since } = changed;
    return type === "status" ? { type, status, since, by: "simulator" } : { type, name, status, since };
  }

  /** Ends every connection, with a bye unless the server is killed. @param {boolean} isKilled */
  stop(isKilled) {
    this.isUp = false;
    for (const viewer of [...this.#viewers]) {
      if (!isKilled) viewer.sendOnly({ type: "bye", reason: "stopping", retry_ms: this.#pick(0, 2000) });
      viewer.hangUp();
    }
  }

  /**
   * @param {object} link
   * @param {string} link.name
   * @param {string} link.since
   * @param {boolean} link.isInParts
   * @param {number} link.heartbeatMs  0 for the default.
   * @param {(message: Message) => void} link.send
   * @param {() => void} link.hangUp
   */
  join({ name, since, isInParts, heartbeatMs, send, hangUp }) {
    const viewer = new Viewer({ clock: this.#clock, server: this, isSse: name === "sse", send, hangUp });
    viewer.heartbeatMs = heartbeatMs || HEARTBEAT_MS;
    for (const message of this.open(name, since, heartbeatMs)) {
      const isSplit = isInParts && message.type === "snapshot";
      for (const sent of isSplit ? parts(message) : [message]) viewer.send(sent);
    }
    this.#viewers.add(viewer);
    return {
      leave: () => (this.#viewers.delete(viewer), viewer.stop()),
      hear: (/** @type {Record<string, any>} */ command) => viewer.hear(command),
    };
  }

  /**
   * Returns hello and what was missed.
   * @param {string} transport
   * @param {string} since
   * @param {number} [heartbeatMs]
   * @returns {Message[]}
   */
  open(transport, since, heartbeatMs = 0) {
    const missed = this.#after(since);
    const cursor = missed ? since : this.cursor;
    const heartbeat = { heartbeat_ms: heartbeatMs || HEARTBEAT_MS };
    const hello = { type: "hello", cursor, transport, ...heartbeat, server_time: this.time() };
    return [hello, ...(missed ?? [this.snapshot()])];
  }

  snapshot() {
    return { type: "snapshot", cursor: this.cursor, pets: [...this.#pets.values()] };
  }

  heartbeat() {
    return { type: "heartbeat", cursor: this.cursor, after: this.cursor, server_time: this.time() };
  }

  /** Returns the time of the server's clock, which is independent of the page's clock. */
  time() {
    return new Date(Date.parse("2031-03-01T00:00:00Z") + this.#clock.elapsed()).toISOString();
  }

  /**
   * @param {string} since
   * @returns {Message[] | null}
   */
  #after(since) {
    const [epoch, rev] = since.split("-");
    const isKept = epoch === this.#epoch && Number(rev) <= this.#changes.length;
    return isKept && this.#changes.length - Number(rev) <= BACKLOG ? this.#changes.slice(Number(rev)) : null;
  }

  /**
   * @param {number} id
   * @returns {ModelPet}
   */
  #pet(id) {
    return { id, name: `Pet ${id}`, status: this.#status(), since: this.time() };
  }

  #status() {
    return STATUSES[this.#pick(0, STATUSES.length)];
  }

  #recordBoard() {
    this.boards.set(this.cursor, this.board);
  }
}

/** One open connection. */
class Viewer {
  #clock;
  #server;
  #isSse;
  #cancel = () => {};
  heartbeatMs = HEARTBEAT_MS;

  /**
   * @param {object} options
   * @param {FakeClock} options.clock
   * @param {ModelServer} options.server
   * @param {boolean} options.isSse
   * @param {(message: Message) => void} options.send
   * @param {() => void} options.hangUp
   */
  constructor({ clock, server, isSse, send, hangUp }) {
    this.#clock = clock;
    this.#server = server;
    this.#isSse = isSse;
    this.sendOnly = send;
    this.hangUp = hangUp;
  }

  /** Sends a message, and heartbeats after it. @param {Message} message */
  send(message) {
    this.#cancel();
    const waitMs = this.#isSse && message.type !== "heartbeat" ? FOLLOW_UP_MS : this.heartbeatMs;
    this.#cancel = this.#clock.after(waitMs, () => this.send(this.#server.heartbeat()));
    this.sendOnly(message);
  }

  /** Answers a ping, or a request for another interval. @param {Record<string, any>} command */
  hear(command) {
    this.heartbeatMs = command.heartbeat_ms ?? this.heartbeatMs;
    this.send({ ...this.#server.heartbeat(), heartbeat_ms: this.heartbeatMs });
  }

  stop() {
    this.#cancel();
  }
}

/** Splits a snapshot into messages of one pet each. @param {Message} snapshot */
function parts({ type, cursor, pets }) {
  const groups = pets.length === 0 ? [[]] : pets.map((/** @type {ModelPet} */ pet) => [pet]);
  return groups.map((/** @type {ModelPet[]} */ group, /** @type {number} */ index) => {
    return { type, cursor, part: index + 1, parts: groups.length, pets: group };
  });
}

/**
 * Returns a text that is equal for equal boards.
 * @param {Iterable<{ id: string | number, name?: string, status?: string, since?: string }>} pets
 */
export function boardText(pets) {
  const lines = [...pets].map(({ id, name, status, since }) => `${id} ${name} ${status} ${since}`);
  return lines.sort().join("\n");
}
