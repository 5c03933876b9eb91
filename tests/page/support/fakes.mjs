/** Fakes for what the client is given: a clock that tests advance, transports, and parts of the browser. */
import assert from "node:assert/strict";
/** @import { Clock } from "../../../public/petstore/clock.js" */
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Answer } from "../../../public/petstore/connection/catch-up.js" */
/** @import { CloseInfo, Switch, Transport, TransportName } from "../../../public/petstore/transports/transport.js" */

/**
 * @template T
 * @param {readonly T[]} list
 * @returns {T}
 */
export function last(list) {
  assert.ok(list.length > 0, "there is a last one");
  return list[list.length - 1];
}

/** A clock that stands still until a test advances it. */
export class FakeClock {
  #elapsed = 5_000;
  /** The time of day when nothing had elapsed. */
  #start = Date.parse("2024-05-01T12:00:00Z");
  /** @type {Set<{ at: number, act: () => void }>} */
  #timers = new Set();
  /** @type {(() => void)[]} */
  #soon = [];

  now = () => this.#start + this.#elapsed;

  elapsed = () => this.#elapsed;

  /** @type {Clock["after"]} */
  after = (delayMs, act) => {
    const timer = { at: this.#elapsed + delayMs, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** @param {() => void} act */
  soon = (act) => void this.#soon.push(act);

  /** Advances the time and runs every timer that falls due, in order. @param {number} ms */
  turn(ms) {
    const until = this.#elapsed + ms;
    while (this.#step(until));
    this.#elapsed = until;
  }

  /** Does the same, and lets all promises settle between two timers. @param {number} ms */
  async run(ms) {
    const until = this.#elapsed + ms;
    do await settle();
    while (this.#step(until));
    this.#elapsed = until;
  }

  /** Runs the next timer, if it falls due by then. @param {number} until */
  #step(until) {
    const task = this.#soon.shift();
    if (task) {
      task();
      return true;
    }
    let next;
    for (const timer of this.#timers) if (timer.at <= until && !(next && timer.at >= next.at)) next = timer;
    if (!next) return false;
    this.#elapsed = Math.max(this.#elapsed, next.at);
    this.#timers.delete(next);
    next.act();
    return true;
  }

  /** Sets the time of day, as when the machine sleeps or its clock is set. @param {number} ms */
  jump(ms) {
    this.#start += ms;
  }

  /** Advances the time without running timers, as in a page that is busy or throttled. @param {number} ms */
  block(ms) {
    this.#elapsed += ms;
  }

  get waiting() {
    return this.#timers.size;
  }
}

/** A transport that tests control. @implements {Transport} */
export class FakeTransport {
  /** @type {Transport["onmessage"]} */
  onmessage = () => {};
  /** @type {Transport["onstate"]} */
  onstate = () => {};
  isOpen = false;
  since = "";
  /** @type {Switch | undefined} */
  cause;
  /** @type {Message | undefined} */
  helloBefore;
  /** @type {number | undefined} */
  roundTripMs;
  /** @type {string | undefined} */
  log;
  /** Number of times that it was opened. */
  opened = 0;
  /** @type {Record<string, any>[]} Commands that were sent. */
  sent = [];
  /** @type {Transport["send"]} */
  send;

  /** @param {TransportName} name */
  constructor(name) {
    this.name = name;
    if (name === "ws") this.send = (command) => this.isOpen && this.sent.push(command) > 0;
  }

  /** @type {Transport["open"]} */
  open(since, cause, hello) {
    this.isOpen = true;
    this.opened += 1;
    this.since = since;
    this.cause = cause;
    this.helloBefore = hello;
  }

  close() {
    this.isOpen = false;
  }

  /** @param {CloseInfo} [info] */
  fail(info) {
    this.isOpen = false;
    this.onstate("closed", info);
  }

  /** @param {object} [fields] */
  hello(fields = {}) {
    this.onmessage({ type: "hello", cursor: "9f2c41aa-1", heartbeat_ms: 15_000, ...fields });
  }
}

/** Builds fake transports and keeps each in the order of building. @param {TransportName} [broken]  Fails in `open`. */
export function fakeTransports(broken) {
  /** @type {Record<TransportName, FakeTransport[]>} */
  const made = { ws: [], sse: [], poll: [], short: [] };
  const build = (/** @type {TransportName} */ name) => () => {
    const transport = new FakeTransport(name);
    made[name].push(transport);
    if (name === broken) transport.open = () => transport.fail();
    return transport;
  };
  return { made, transports: { ws: build("ws"), sse: build("sse"), poll: build("poll"), short: build("short") } };
}

/** A health check with a result that tests set. @param {Clock} clock */
export function fakeHealth(clock) {
  const health = {
    isUp: true,
    checks: 0,
    check(/** @type {(isUp: boolean) => void} */ onresult) {
      health.checks += 1;
      return clock.after(0, () => onresult(health.isUp));
    },
  };
  return health;
}

/** Requests for missed changes that tests answer, in the order in which they were sent. */
export function fakeCatchUp() {
  /** @type {{ since: string, signal: AbortSignal, answer: (messages?: Message[], roundTripMs?: number) => void, fail: () => void }[]} */
  const asked = [];
  const run = (/** @type {string} */ since, /** @type {AbortSignal} */ signal) =>
    /** @type {Promise<Answer>} */ (
      new Promise((resolve, reject) => {
        const fail = () => reject(new TypeError("network"));
        signal.addEventListener("abort", fail);
        const hello = { type: "hello", cursor: since, heartbeat_ms: 15_000 };
        const answer = (/** @type {Message[]} */ messages = [], roundTripMs = 0) => resolve({ hello, messages, roundTripMs });
        asked.push({ since, signal, answer, fail });
      })
    );
  return { asked, run };
}

/** A memory for one transport, without expiry. @param {TransportName | null} name */
export function fakeMemory(name = null) {
  const memory = {
    name,
    /** @type {TransportName[]} */
    writes: [],
    read: () => memory.name,
    write(/** @type {TransportName} */ written) {
      memory.name = written;
      memory.writes.push(written);
    },
  };
  return memory;
}

/** A socket that tests control. */
class FakeWebSocket {
  readyState = 0;
  /** @type {string[]} */
  sent = [];
  /** @type {((event: object) => void) | null} */
  onopen = null;
  /** @type {((event: { data: unknown }) => void) | null} */
  onmessage = null;
  /** @type {((event: object) => void) | null} */
  onclose = null;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  close() {
    this.readyState = 3;
  }

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  /** @param {unknown} data */
  receive(data) {
    this.onmessage?.({ data: typeof data === "string" ? data : JSON.stringify(data) });
  }

  drop() {
    this.readyState = 3;
    this.onclose?.({});
  }
}

/** A WebSocket constructor whose sockets are kept in `made`. */
export function fakeWebSocket() {
  /** @type {FakeWebSocket[]} */
  const made = [];
  const constructor = class extends FakeWebSocket {
    /** @param {string} url */
    constructor(url) {
      super(url);
      made.push(this);
    }
  };
  return { made, WebSocket: /** @type {typeof WebSocket} */ (/** @type {unknown} */ (constructor)) };
}

/** An event source that tests control. */
class FakeEventSource extends EventTarget {
  isClosed = false;
  /** @type {((event: object) => void) | null} */
  onopen = null;
  /** @type {((event: object) => void) | null} */
  onerror = null;

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
  }

  close() {
    this.isClosed = true;
  }

  /** @param {Message} message */
  receive(message, event = message.type) {
    this.dispatchEvent(Object.assign(new Event(event), { data: JSON.stringify(message) }));
  }
}

/** An EventSource constructor whose sources are kept in `made`. */
export function fakeEventSource() {
  /** @type {FakeEventSource[]} */
  const made = [];
  const constructor = class extends FakeEventSource {
    /** @param {string} url */
    constructor(url) {
      super(url);
      made.push(this);
    }
  };
  return { made, EventSource: /** @type {typeof EventSource} */ (/** @type {unknown} */ (constructor)) };
}

/**
 * A request that tests answer.
 * @typedef {object} FakeRequest
 * @property {URL} url
 * @property {AbortSignal} signal
 * @property {Record<string, string>} headers
 * @property {string | undefined} method
 * @property {any} body  Of any type that `fetch` takes.
 * @property {(body: unknown, headers?: Record<string, string>) => void} answer
 * @property {(status: number, headers?: Record<string, string>, body?: unknown) => void} refuse
 * @property {() => void} fail
 */

/** A fetch whose requests are kept in `asked`. */
export function fakeFetch() {
  /** @type {FakeRequest[]} */
  const asked = [];
  const fetch = (
    /** @type {string} */ url,
    /** @type {{ signal: AbortSignal, headers: Record<string, string>, method?: string, body?: unknown }} */ options,
  ) =>
    new Promise((settled, failed) => {
      const { signal, headers, method, body } = options;
      const onabort = () => failed(new DOMException("aborted", "AbortError"));
      const resolve = (/** @type {object} */ answer) => (signal.removeEventListener("abort", onabort), settled(answer));
      const reject = (/** @type {Error} */ error) => (signal.removeEventListener("abort", onabort), failed(error));
      signal.addEventListener("abort", onabort);
      asked.push({
        url: new URL(url),
        signal,
        headers,
        method,
        body,
        answer: (json, more = {}) =>
          resolve({ ok: true, status: 200, headers: new Headers(more), json: async () => json }),
        refuse: (status, more = {}, json = {}) =>
          resolve({ ok: false, status, headers: new Headers(more), json: async () => json }),
        fail: () => reject(new TypeError("network")),
      });
    });
  return { asked, fetch: /** @type {typeof globalThis.fetch} */ (/** @type {unknown} */ (fetch)) };
}

/**
 * A browser API, as far as the code under test uses it.
 * @template T
 * @param {unknown} part
 * @returns {T}
 */
export const fake = (part) => /** @type {T} */ (part);

/** Lets all promises settle. @returns {Promise<void>} */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Returns a deterministic random function (mulberry32). @param {number} seed */
export function seededRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
