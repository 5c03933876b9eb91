/**
 * A network between a page and the model server, with all that a browser gives a page to reach it: `WebSocket`,
 * `EventSource`, `fetch`. It delays, holds back, eats, cuts and loses, and never reorders or doubles: what
 * it stands for is TCP with somebody in the middle.
 */

/** What can become of each rung. */
const STREAM = ["pass", "pass", "refuse", "eat", "mute", "kill", "cut", "delay"];
const ASKED = ["pass", "pass", "refuse", "eat", "cut"];
export const RULES = { ws: STREAM, sse: [...STREAM, "hold"], poll: ASKED, short: ASKED };

const KILL_MS = 300;
const CUT_MS = 5_000;
const DELAY_MS = 4_000;

const RUNG_OF = { "/live/ws": "ws", "/live/sse": "sse", "/live/poll": "poll", "/live/state": "short" };

export class ModelNetwork {
  rules = { ws: "pass", sse: "pass", poll: "pass", short: "pass" };
  /** Whether some packets are lost: what they carried comes later. */
  isLossy = false;
  #isCut = false;
  #clock;
  #pick;
  #server;
  /** @type {Set<Wire>} */
  #wires = new Set();

  constructor(clock, pick, server) {
    this.#clock = clock;
    this.#pick = pick;
    this.#server = server;
  }

  /** Streams that are open. */
  get open() {
    return [...this.#wires].map(({ name }) => name);
  }

  /** The cable is out, and nobody is told. */
  cut() {
    this.#isCut = true;
  }

  /** It is in again. Some of what was open goes on, and the rest stays dead without a word. */
  mend() {
    this.#isCut = false;
    for (const wire of this.#wires) {
      if (this.#pick(0, 2)) wire.rule = "eat";
      else wire.release();
    }
  }

  /** Somebody on the way forgets what was open: it ends, or stays silent. */
  forget() {
    for (const wire of [...this.#wires]) {
      if (this.#pick(0, 2)) wire.rule = "eat";
      else wire.die();
    }
  }

  heal() {
    this.rules = { ws: "pass", sse: "pass", poll: "pass", short: "pass" };
    this.isLossy = false;
    if (this.#isCut) this.mend();
  }

  get browser() {
    const network = this;
    const storage = new Map();
    return {
      WebSocket: class {
        readyState = 0;
        constructor(url) {
          network.#dial(url, {
            open: () => (this.readyState === 0 ? ((this.readyState = 1), this.onopen?.({})) : undefined),
            hear: (data) => this.onmessage?.({ data }),
            end: () => ((this.readyState = 3), this.onclose?.({})),
            hold: (wire) => (this.wire = wire),
          });
        }
        close() {
          this.readyState = 3;
          this.wire.close();
        }
      },
      EventSource: class extends EventTarget {
        constructor(url) {
          super();
          network.#dial(url, {
            open: () => this.onopen?.({}),
            hear: (data) => this.dispatchEvent(Object.assign(new Event(JSON.parse(data).type), { data })),
            end: () => this.onerror?.({}),
            hold: (wire) => (this.wire = wire),
          });
        }
        close() {
          this.wire.close();
        }
      },
      fetch: (url, options) => this.#fetch(new URL(url), options),
      localStorage: { getItem: (key) => storage.get(key) ?? null, setItem: (key, text) => storage.set(key, text) },
      navigator: { connection: { saveData: false } },
    };
  }

  get isCut() {
    return this.#isCut;
  }

  /** How long a packet takes now. */
  travelMs() {
    return this.#pick(5, 80) + (this.isLossy && this.#pick(0, 5) === 0 ? this.#pick(200, 2500) : 0);
  }

  #dial(address, ends) {
    const url = new URL(address);
    const name = RUNG_OF[url.pathname];
    const wire = new Wire({ name, rule: this.rules[name], network: this, clock: this.#clock, ends });
    this.#wires.add(wire);
    wire.onclose = () => this.#wires.delete(wire);
    ends.hold(wire);
    const isInParts = url.searchParams.get("parts") === "1";
    wire.open(this.#server, url.searchParams.get("since") ?? "", isInParts);
  }

  /** A question and its answer. Where the network is cut, or eats, there is none. */
  #fetch(url, { signal, headers }) {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError("network"));
      signal.addEventListener("abort", fail);
      const later = (act) => this.#clock.after(this.travelMs(), () => !this.#isCut && act());
      const rule = this.rules[RUNG_OF[url.pathname]] ?? "pass";
      if (rule === "eat") return;
      later(() => {
        if (rule === "refuse") return resolve(answer(403));
        if (!this.#server.isUp) return fail();
        const cancelCut = rule === "cut" ? this.#clock.after(CUT_MS, fail) : () => {};
        this.#answer(url, headers, (made) => (cancelCut(), later(() => resolve(made))));
      });
    });
  }

  #answer(url, headers, act) {
    const server = this.#server;
    if (url.pathname === "/healthz") return act(answer(200));
    if (url.pathname === "/live/state") {
      const etag = `"${server.cursor}"`;
      return act(headers["if-none-match"] === etag ? answer(304) : answer(200, server.snapshot(), { etag }));
    }
    const [hello, ...missed] = server.open("poll", url.searchParams.get("since") ?? "");
    const finish = (messages) => act(answer(200, { cursor: server.cursor, messages: [hello, ...messages] }));
    if (missed.length > 0) return finish(missed);
    const since = server.cursor;
    const until = this.#clock.elapsed() + Number(url.searchParams.get("wait")) * 1000;
    const look = () => {
      if (!server.isUp) return;
      const [, ...more] = server.open("poll", since);
      if (more.length > 0) finish(more);
      else if (this.#clock.elapsed() >= until) finish([server.heartbeat()]);
      else this.#clock.after(50, look);
    };
    look();
  }
}

/** One stream, from the server to the page. What is under way arrives in order. */
class Wire {
  onclose = () => {};
  #network;
  #clock;
  #ends;
  #leave = () => {};
  #isOpen = true;
  #arrivesMs = 0;
  /** @type {(() => void)[]} What is under way, in the order in which it arrives. */
  #queue = [];
  /** How much of it would have arrived if the network were not cut. TCP sends it again. */
  #stuck = 0;
  /** @type {string | null} */
  #held = null;
  #sent = 0;

  constructor({ name, rule, network, clock, ends }) {
    this.name = name;
    this.rule = rule;
    this.#network = network;
    this.#clock = clock;
    this.#ends = ends;
  }

  open(server, since, isInParts) {
    this.#later(() => {
      if (this.rule === "refuse" || !server.isUp) return this.die();
      this.#ends.open();
      this.#leave = server.join({
        name: this.name,
        since,
        isInParts,
        send: (message) => this.#send(JSON.stringify(message)),
        hangUp: () => this.#later(() => this.die()),
      });
      if (this.rule === "kill") this.#clock.after(KILL_MS, () => this.die());
      if (this.rule === "cut") this.#clock.after(CUT_MS, () => this.die());
    });
  }

  /** By the page. */
  close() {
    this.#isOpen = false;
    this.#leave();
    this.onclose();
  }

  /** By anybody else; the page is told. */
  die() {
    if (!this.#isOpen) return;
    this.close();
    this.#ends.end();
  }

  release() {
    const count = this.#stuck;
    this.#stuck = 0;
    for (let n = 0; n < count; n += 1) this.#arriveLater();
  }

  #send(text) {
    this.#sent += 1;
    if (this.rule === "eat" || (this.rule === "mute" && this.#sent > 1)) return;
    const now = this.rule === "hold" ? this.#held : text;
    this.#held = text;
    if (now !== null) this.#later(() => this.#ends.hear(now));
  }

  #later(act) {
    this.#queue.push(act);
    this.#arriveLater();
  }

  #arriveLater() {
    const delayMs = this.rule === "delay" ? DELAY_MS : 0;
    this.#arrivesMs = Math.max(this.#arrivesMs, this.#clock.elapsed() + this.#network.travelMs() + delayMs);
    this.#clock.after(this.#arrivesMs - this.#clock.elapsed(), () => {
      if (this.#network.isCut) this.#stuck += 1;
      else if (this.#isOpen) this.#queue.shift()?.();
    });
  }
}

function answer(status, body, headers = {}) {
  return { ok: status === 200, status, headers: new Headers(headers), json: async () => body };
}
