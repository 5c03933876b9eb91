/**
 * Stand-ins for what the client is given: a clock turned by hand, transports and browser parts that do what a test says.
 */

/** A clock that stands still until it is turned. */
export class FakeClock {
  #elapsed = 5_000;
  /** The time of day when nothing had elapsed. */
  #start = Date.parse("2024-05-01T12:00:00Z");
  #timers = new Set();
  #soon = [];

  now = () => this.#start + this.#elapsed;

  elapsed = () => this.#elapsed;

  after = (delayMs, act) => {
    const timer = { at: this.#elapsed + delayMs, act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  soon = (act) => void this.#soon.push(act);

  /** Runs every timer that falls due on the way, in order. */
  turn(ms) {
    const until = this.#elapsed + ms;
    while (this.#step(until));
    this.#elapsed = until;
  }

  /** The same, and lets every promise go on between two timers. */
  async run(ms) {
    const until = this.#elapsed + ms;
    do await settle();
    while (this.#step(until));
    this.#elapsed = until;
  }

  /** Runs the next timer, if it falls due by then. */
  #step(until) {
    if (this.#soon.length > 0) {
      this.#soon.shift()();
      return true;
    }
    let next;
    for (const timer of this.#timers) if (timer.at <= until && !(timer.at >= next?.at)) next = timer;
    if (!next) return false;
    this.#elapsed = Math.max(this.#elapsed, next.at);
    this.#timers.delete(next);
    next.act();
    return true;
  }

  /** The machine's clock is set, or the machine sleeps: the time of day moves on, and nothing else. */
  jump(ms) {
    this.#start += ms;
  }

  /** The page is too busy for anything, or throttled: time passes and no timer runs. */
  block(ms) {
    this.#elapsed += ms;
  }

  get waiting() {
    return this.#timers.size;
  }
}

/** A transport that does what the test says, and remembers what was done to it. */
export class FakeTransport {
  onmessage = () => {};
  onstate = () => {};
  isOpen = false;

  constructor(name) {
    this.name = name;
  }

  open(since, change) {
    this.isOpen = true;
    this.since = since;
    this.change = change;
  }

  close() {
    this.isOpen = false;
  }

  fail(ending) {
    this.isOpen = false;
    this.onstate("closed", ending);
  }

  hello(more = {}) {
    this.onmessage({ type: "hello", cursor: "9f2c41aa-1", heartbeat_ms: 15_000, ...more });
  }
}

/** Builds fake transports and keeps each in the order of building: `made.ws.at(-1)` is the newest. */
export function fakeTransports() {
  const made = { ws: [], sse: [], poll: [], short: [] };
  const build = (name) => () => {
    const transport = new FakeTransport(name);
    made[name].push(transport);
    return transport;
  };
  return { made, transports: { ws: build("ws"), sse: build("sse"), poll: build("poll"), short: build("short") } };
}

/** A server that answers, or not, how it is. */
export function fakeHealth(clock) {
  const health = { isUp: true, asked: 0 };
  health.ask = (act) => {
    health.asked += 1;
    return clock.after(0, () => act(health.isUp));
  };
  return health;
}

/** A memory for one rung, without expiry. */
export function fakeMemory(rung = null) {
  const memory = { rung, writes: [] };
  memory.read = () => memory.rung;
  memory.write = (name) => {
    memory.rung = name;
    memory.writes.push(name);
  };
  return memory;
}

/** A WebSocket constructor whose sockets are kept in `made`. */
export function fakeWebSocket() {
  const made = [];
  class FakeWebSocket {
    readyState = 0;
    sent = [];
    constructor(url) {
      this.url = url;
      made.push(this);
    }
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
    receive(data) {
      this.onmessage?.({ data: typeof data === "string" ? data : JSON.stringify(data) });
    }
    drop() {
      this.readyState = 3;
      this.onclose?.({});
    }
  }
  return { made, WebSocket: FakeWebSocket };
}

/** An EventSource constructor whose sources are kept in `made`. */
export function fakeEventSource() {
  const made = [];
  class FakeEventSource extends EventTarget {
    isClosed = false;
    constructor(url) {
      super();
      this.url = url;
      made.push(this);
    }
    close() {
      this.isClosed = true;
    }
    receive(message, event = message.type) {
      this.dispatchEvent(Object.assign(new Event(event), { data: JSON.stringify(message) }));
    }
  }
  return { made, EventSource: FakeEventSource };
}

/** A fetch whose questions are kept in `asked`; each is answered or refused by the test. */
export function fakeFetch() {
  const asked = [];
  const fetch = (url, { signal, headers }) =>
    new Promise((settled, failed) => {
      const onabort = () => failed(new DOMException("aborted", "AbortError"));
      const resolve = (answer) => (signal.removeEventListener("abort", onabort), settled(answer));
      const reject = (error) => (signal.removeEventListener("abort", onabort), failed(error));
      signal.addEventListener("abort", onabort);
      asked.push({
        url: new URL(url),
        signal,
        headers,
        answer: (body, more = {}) =>
          resolve({ ok: true, status: 200, headers: new Headers(more), json: async () => body }),
        refuse: (status, headers = {}) =>
          resolve({ ok: false, status, headers: new Headers(headers), json: async () => ({}) }),
        fail: () => reject(new TypeError("network")),
      });
    });
  return { asked, fetch };
}

/** Lets every promise that can go on do so. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Numbers by chance, the same for the same seed (mulberry32). */
export function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
