/** The browser APIs through which tabs find each other, in a world whose time tests advance: locks and a channel. */
import assert from "node:assert/strict";
import { fake } from "../support/fakes.mjs";
/** @import { TabMessage } from "../../../public/petstore/tabs/tab-message.js" */
/** @import { World, WorldTab } from "./world.mjs" */

/** A pipe with random delays, which keeps the order. */
export class Pipe {
  #world;
  #freeAt = 0;

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  /** @param {number} limitMs @param {() => void} act */
  send(limitMs, act) {
    this.#freeAt = Math.max(this.#freeAt, this.#world.now + this.#world.delay(limitMs));
    this.#world.at(this.#freeAt - this.#world.now, act);
  }
}

/**
 * A request for the lock.
 * @typedef {object} Bid
 * @property {WorldTab} tab
 * @property {(lock: object) => unknown} callback
 * @property {(value?: unknown) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {AbortSignal} [signal]
 */

/** Web Locks, with one lock and its queue. */
export class Locks {
  #world;
  /** @type {Bid | null} */
  holder = null;
  /** @type {Bid[]} */
  #queue = [];

  /** @param {World} world */
  constructor(world) {
    this.#world = world;
  }

  /** The next tab in the queue. */
  get heir() {
    return this.#queue[0]?.tab;
  }

  /**
   * @param {WorldTab} tab
   * @returns {LockManager}
   */
  of(tab) {
    /** @param {Bid["callback"]} callback */
    const request = (/** @type {string} */ _name, /** @type {LockOptions} */ options, callback) =>
      this.#request(tab, options, callback);
    return fake({ request });
  }

  /** @param {WorldTab} tab @param {LockOptions} options @param {Bid["callback"]} callback */
  #request(tab, { signal, steal }, callback) {
    return new Promise((resolve, reject) => {
      const bid = { tab, callback, resolve, reject, signal };
      signal?.addEventListener("abort", () => this.#withdraw(bid));
      this.#world.at(this.#world.delay(5), () => {
        if (signal?.aborted || !this.#world.tabs.includes(tab)) return;
        if (steal && this.holder) this.#refuse(this.holder);
        if (steal || !this.holder) this.#grant(bid);
        else this.#queue.push(bid);
      });
    });
  }

  /** @param {Bid} bid */
  #withdraw(bid) {
    if (this.holder === bid) return;
    this.#queue = this.#queue.filter((other) => other !== bid);
    this.#refuse(bid);
  }

  /** @param {Bid} bid */
  #refuse(bid) {
    bid.tab.run("lock", () => bid.reject(new DOMException("not yours", "AbortError")));
  }

  /** @param {Bid} bid */
  #grant(bid) {
    this.holder = bid;
    bid.tab.run("lock", async () => {
      if (bid.signal?.aborted) bid.reject(new DOMException("not wanted", "AbortError"));
      else await bid.callback({});
      bid.resolve();
      this.#release(bid);
    });
  }

  /** @param {Bid} bid */
  #release(bid) {
    if (this.holder !== bid) return;
    this.holder = null;
    const next = this.#queue.shift();
    if (next) this.#grant(next);
  }

  /** Removes a tab that has crashed. @param {WorldTab} tab */
  bury(tab) {
    this.#queue = this.#queue.filter((bid) => bid.tab !== tab);
    if (this.holder?.tab === tab) this.#release(this.holder);
  }
}

/**
 * Returns a BroadcastChannel constructor for the pages of one tab.
 * @param {WorldTab} tab
 * @returns {typeof BroadcastChannel}
 */
export function channelOf(tab) {
  const { world } = tab;
  const source = `channel ${world.tabs.length} ${world.now}`;
  return fake(
    class extends Channel {
      constructor() {
        super(tab, source);
      }
    },
  );
}

/** The end of the channel in one tab. */
export class Channel {
  /** @type {((event: { data: TabMessage }) => void) | null} */
  onmessage = null;
  /** @type {Map<Channel, Pipe>} */
  #pipes = new Map();

  /** @param {WorldTab} tab @param {string} source */
  constructor(tab, source) {
    this.tab = tab;
    this.source = source;
    tab.world.channels.add(this);
  }

  /** @param {TabMessage} data */
  postMessage(data) {
    const { world } = this.tab;
    assert.ok(world.channels.has(this), "posts only while open");
    for (const other of world.channels) {
      if (other === this || world.loses(data, other.tab)) continue;
      const pipe = this.#pipes.get(other) ?? new Pipe(world);
      this.#pipes.set(other, pipe);
      const copy = structuredClone(data);
      pipe.send(20, () => other.tab.run(other.source, () => other.onmessage?.({ data: copy })));
    }
  }

  close() {
    this.tab.world.channels.delete(this);
    this.onmessage = null;
  }
}
