/**
 * A network between a page and the model server, with the browser APIs that reach it: `WebSocket`, `EventSource`, `fetch`.
 * It delays, buffers, drops, cuts and loses, but never reorders or duplicates: it stands for TCP through a middlebox.
 */
import { fake } from "./fakes.mjs";
/** @import { Browser } from "../../../public/petstore/open-connection.js" */
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { FakeClock } from "./fakes.mjs" */
/** @import { ModelServer } from "./model-server.mjs" */

/** @typedef {(from: number, below: number) => number} Pick  A random integer. */

/**
 * The ends of a wire in the browser.
 * @typedef {object} Ends
 * @property {() => void} open
 * @property {(data: string) => void} receive
 * @property {() => void} end
 * @property {(wire: Wire) => void} hold
 */

/** The possible rules of each transport. `lose` drops every fourth message, and `clip` every long one. */
const STREAM = ["pass", "pass", "refuse", "eat", "mute", "kill", "cut", "delay", "lose", "clip"];
const POLL = ["pass", "pass", "refuse", "eat", "cut"];
/** @type {Record<TransportName, string[]>} */
export const RULES = { ws: STREAM, sse: [...STREAM, "hold"], poll: POLL, short: POLL };

/** Longer than a status, shorter than a pet with its name and status, or a snapshot. */
const CLIP_LENGTH = 143;

const KILL_MS = 300;
const CUT_MS = 5_000;
const DELAY_MS = 4_000;

/** Returns the transport of a request; undefined for others. @param {URL} url @returns {TransportName | undefined} */
function transportOf({ pathname, searchParams }) {
  if (pathname === "/live/ws") return "ws";
  if (pathname === "/live/sse") return "sse";
  if (!pathname.startsWith("/live/poll")) return undefined;
  return searchParams.get("transport") === "short" ? "short" : "poll";
}

/** @returns {Record<TransportName, string>} */
const allPass = () => ({ ws: "pass", sse: "pass", poll: "pass", short: "pass" });

export class ModelNetwork {
  rules = allPass();
  /** Some packets are lost, and arrive later. */
  isLossy = false;
  /** The browser is set to save data. */
  savesData = false;
  isCut = false;
  /** How long each packet takes; null for a random time. @type {number | null} */
  latencyMs = null;
  /** How late the head of every response is. */
  headMs = 0;
  /** The requests that reached the server, by transport. @type {string[]} */
  requests = [];
  #clock;
  #pick;
  #server;
  /** @type {Set<Wire>} */
  #wires = new Set();

  /** @param {FakeClock} clock @param {Pick} pick @param {ModelServer} server */
  constructor(clock, pick, server) {
    this.#clock = clock;
    this.#pick = pick;
    this.#server = server;
  }

  /** The transports of the open streams. */
  get open() {
    return [...this.#wires].map(({ name }) => name);
  }

  /** Cuts the cable, without telling anybody. */
  cut() {
    this.isCut = true;
  }

  /** Reconnects the cable. Some connections go on, and the others stay dead silently. */
  reconnect() {
    this.isCut = false;
    for (const wire of this.#wires) {
      if (this.#pick(0, 2)) wire.rule = "eat";
      else wire.release();
    }
  }

  /** A router loses its state: each connection ends, or goes silent. */
  dropConnections() {
    for (const wire of [...this.#wires]) {
      if (this.#pick(0, 2)) wire.rule = "eat";
      else wire.die();
    }
  }

  heal() {
    this.rules = allPass();
    this.isLossy = false;
    this.savesData = false;
    if (this.isCut) this.reconnect();
  }

  /** @returns {Browser} */
  get browser() {
    const network = this;
    const storage = new Map();
    return fake({
      document: { visibilityState: "visible" },
      WebSocket: class {
        readyState = 0;
        /** @type {((event: object) => void) | undefined} */
        onopen;
        /** @type {((event: { data: string }) => void) | undefined} */
        onmessage;
        /** @type {((event: object) => void) | undefined} */
        onclose;
        /** @type {Wire | undefined} */
        wire;
        /** @param {string} url */
        constructor(url) {
          network.#dial(url, {
            open: () => (this.readyState === 0 ? ((this.readyState = 1), this.onopen?.({})) : undefined),
            receive: (data) => this.onmessage?.({ data }),
            end: () => ((this.readyState = 3), this.onclose?.({})),
            hold: (wire) => (this.wire = wire),
          });
        }
        /** @param {string} text */
        send(text) {
          this.wire?.ask(text);
        }
        close() {
          this.readyState = 3;
          this.wire?.close();
        }
      },
      EventSource: class extends EventTarget {
        /** @type {((event: object) => void) | undefined} */
        onopen;
        /** @type {((event: object) => void) | undefined} */
        onerror;
        /** @type {Wire | undefined} */
        wire;
        /** @param {string} url */
        constructor(url) {
          super();
          network.#dial(url, {
            open: () => this.onopen?.({}),
            receive: (data) => this.dispatchEvent(Object.assign(new Event(JSON.parse(data).type), { data })),
            end: () => this.onerror?.({}),
            hold: (wire) => (this.wire = wire),
          });
        }
        close() {
          this.wire?.close();
        }
      },
      fetch: (/** @type {string} */ url, /** @type {Request} */ options) => this.#fetch(new URL(url), options),
      localStorage: {
        getItem: (/** @type {string} */ key) => storage.get(key) ?? null,
        setItem: (/** @type {string} */ key, /** @type {string} */ text) => storage.set(key, text),
      },
      navigator: {
        connection: {
          get saveData() {
            return network.savesData;
          },
        },
      },
    });
  }

  /** Returns how long a packet takes now. */
  travelMs() {
    if (this.latencyMs !== null) return this.latencyMs;
    return this.#pick(5, 80) + (this.isLossy && this.#pick(0, 5) === 0 ? this.#pick(200, 2500) : 0);
  }

  /** @param {string} address @param {Ends} ends */
  #dial(address, ends) {
    const url = new URL(address);
    const name = /** @type {TransportName} */ (transportOf(url));
    const wire = new Wire({ name, rule: this.rules[name], network: this, clock: this.#clock, ends });
    this.#wires.add(wire);
    wire.onclose = () => this.#wires.delete(wire);
    ends.hold(wire);
    const isInParts = url.searchParams.get("parts") === "1";
    const heartbeatMs = 1000 * Number(url.searchParams.get("heartbeat"));
    wire.open(this.#server, { since: url.searchParams.get("since") ?? "", isInParts, heartbeatMs });
  }

  /**
   * Sends a request. A network that is cut, or drops everything, never responds.
   * @param {URL} url
   * @param {{ signal: AbortSignal }} options
   */
  #fetch(url, { signal }) {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError("network"));
      signal.addEventListener("abort", fail);
      const later = (/** @type {() => void} */ act) =>
        this.#clock.after(this.travelMs(), () => !this.isCut && act());
      const transport = transportOf(url);
      const rule = transport ? this.rules[transport] : "pass";
      if (rule === "eat") return;
      later(() => {
        if (rule === "refuse") return resolve(response(403));
        if (!this.#server.isUp) return fail();
        this.requests.push(transport ?? url.pathname);
        const cancelCut = rule === "cut" ? this.#clock.after(CUT_MS, fail) : () => {};
        const send = (/** @type {object} */ made) => (cancelCut(), later(() => resolve(made)));
        this.#respond(url, (made) => this.#clock.after(this.headMs, () => send(made)));
      });
    });
  }

  /** @param {URL} url @param {(made: object) => void} act */
  #respond(url, act) {
    const server = this.#server;
    if (url.pathname === "/healthz") return act(response(200));
    const heartbeatMs = 1000 * Number(url.searchParams.get("heartbeat"));
    const [hello, ...missed] = server.open("poll", url.searchParams.get("since") ?? "", heartbeatMs);
    const finish = (/** @type {object[]} */ messages) =>
      act(response(200, { cursor: server.cursor, messages: [hello, ...messages] }));
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

/** One stream, from the server to the page. Packets arrive in order. */
class Wire {
  onclose = () => {};
  #network;
  #clock;
  #ends;
  /** @type {ReturnType<ModelServer["join"]> | null} */
  #viewer = null;
  #isOpen = true;
  #arrivesMs = 0;
  /** @type {(() => void)[]} Packets on the way, in the order in which they arrive. */
  #queue = [];
  /** Number of packets that would have arrived if the network were not cut. TCP sends them again. */
  #stuck = 0;
  /** @type {string | null} */
  #held = null;
  #sent = 0;

  /** @param {{ name: TransportName, rule: string, network: ModelNetwork, clock: FakeClock, ends: Ends }} options */
  constructor({ name, rule, network, clock, ends }) {
    this.name = name;
    this.rule = rule;
    this.#network = network;
    this.#clock = clock;
    this.#ends = ends;
  }

  /** @param {ModelServer} server @param {{ since: string, isInParts: boolean, heartbeatMs: number }} query */
  open(server, query) {
    this.#later(() => {
      if (this.rule === "refuse" || !server.isUp) return this.die();
      this.#network.requests.push(this.name);
      this.#clock.after(this.#network.headMs, () => this.#accept(server, query));
    });
  }

  /** @param {ModelServer} server @param {{ since: string, isInParts: boolean, heartbeatMs: number }} query */
  #accept(server, query) {
    if (!this.#isOpen) return;
    if (!server.isUp) return this.die();
    this.#ends.open();
    this.#viewer = server.join({
      name: this.name,
      ...query,
      send: (message) => this.#send(JSON.stringify(message)),
      hangUp: () => this.#later(() => this.die()),
    });
    if (this.rule === "kill") this.#clock.after(KILL_MS, () => this.die());
    if (this.rule === "cut") this.#clock.after(CUT_MS, () => this.die());
  }

  /** Sends a command to the server, which is lost if the network is cut. @param {string} text */
  ask(text) {
    this.#clock.after(this.#network.travelMs(), () => {
      if (!this.#network.isCut && this.rule !== "eat") this.#viewer?.hear(JSON.parse(text));
    });
  }

  /** Closed by the page. */
  close() {
    this.#isOpen = false;
    this.#viewer?.leave();
    this.#viewer = null;
    this.onclose();
  }

  /** Closed by anything else; the page is told. */
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

  /** @param {string} text */
  #send(text) {
    this.#sent += 1;
    if (this.rule === "eat" || (this.rule === "mute" && this.#sent > 1)) return;
    if (this.rule === "lose" && this.#sent % 4 === 0) return;
    if (this.rule === "clip" && text.length > CLIP_LENGTH) return;
    const now = this.rule === "hold" ? this.#held : text;
    this.#held = text;
    if (now !== null) this.#later(() => this.#ends.receive(now));
  }

  /** @param {() => void} act */
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

/** @param {number} status @param {unknown} [body] @param {Record<string, string>} [headers] */
function response(status, body, headers = {}) {
  return { ok: status === 200, status, headers: new Headers(headers), json: async () => body };
}
