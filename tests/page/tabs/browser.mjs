/** What a browser gives its tabs to find each other, in a world whose time is turned by hand: locks and a channel. */
import assert from "node:assert/strict";

/** A pipe that delays by chance and keeps the order. */
export class Pipe {
  #world;
  #freeAt = 0;

  constructor(world) {
    this.#world = world;
  }

  send(limitMs, act) {
    this.#freeAt = Math.max(this.#freeAt, this.#world.now + this.#world.delay(limitMs));
    this.#world.at(this.#freeAt - this.#world.now, act);
  }
}

/** Web Locks, with one line for each name. */
export class Locks {
  #world;
  /** @type {any} */
  holder = null;
  #line = [];

  constructor(world) {
    this.#world = world;
  }

  /** The tab that is next in line. */
  get heir() {
    return this.#line[0]?.tab;
  }

  of(tab) {
    return { request: (_name, options, callback) => this.#request(tab, options, callback) };
  }

  #request(tab, { signal, steal }, callback) {
    return new Promise((resolve, reject) => {
      const bid = { tab, callback, resolve, reject, signal };
      signal?.addEventListener("abort", () => this.#withdraw(bid));
      this.#world.at(this.#world.delay(5), () => {
        if (signal?.aborted || !this.#world.tabs.includes(tab)) return;
        if (steal && this.holder) this.#refuse(this.holder);
        if (steal || !this.holder) this.#grant(bid);
        else this.#line.push(bid);
      });
    });
  }

  #withdraw(bid) {
    if (this.holder === bid) return;
    this.#line = this.#line.filter((other) => other !== bid);
    this.#refuse(bid);
  }

  #refuse(bid) {
    bid.tab.run("lock", () => bid.reject(new DOMException("not yours", "AbortError")));
  }

  #grant(bid) {
    this.holder = bid;
    bid.tab.run("lock", async () => {
      if (bid.signal?.aborted) bid.reject(new DOMException("not wanted", "AbortError"));
      else await bid.callback({});
      bid.resolve();
      this.#release(bid);
    });
  }

  #release(bid) {
    if (this.holder !== bid) return;
    this.holder = null;
    const next = this.#line.shift();
    if (next) this.#grant(next);
  }

  bury(tab) {
    this.#line = this.#line.filter((bid) => bid.tab !== tab);
    if (this.holder?.tab === tab) this.#release(this.holder);
  }
}

/** A BroadcastChannel constructor for the pages of one tab. */
export function channelOf(tab) {
  const { world } = tab;
  const source = `channel ${world.tabs.length} ${world.now}`;
  return class FakeBroadcastChannel {
    onmessage = null;
    tab = tab;
    #pipes = new Map();

    constructor() {
      world.channels.add(this);
    }

    postMessage(data) {
      assert.ok(world.channels.has(this), "posts only while open");
      for (const other of world.channels) {
        if (other === this || world.loses(data, other.tab)) continue;
        const pipe = this.#pipes.get(other) ?? new Pipe(world);
        this.#pipes.set(other, pipe);
        const copy = structuredClone(data);
        pipe.send(20, () => other.tab.run(source, () => other.onmessage?.({ data: copy })));
      }
    }

    close() {
      world.channels.delete(this);
      this.onmessage = null;
    }
  };
}
