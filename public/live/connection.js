// @ts-check
/**
 * Keeps the page connected: a race finds the transport, a link watches it, and when the link ends this decides
 * how long to wait before the next race. Every race starts from the last cursor.
 *
 * It does not know the transports, and it does not read what they carry. Sharing one connection between tabs
 * would replace this class; climbing back up to a better transport would run a second race beside the link.
 */
import { Backoff, boundRetry } from "../state/backoff.js";
import { TransportOrder } from "../state/transport-order.js";
import { Link } from "./link.js";
import { Race } from "./race.js";
import { ignore } from "./transport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./transport.js").TransportName} TransportName */
/** @typedef {import("./message.js").Message} Message */

/**
 * @typedef {{ phase: "connecting" } | { phase: "down" }
 *   | { phase: "up", transport: TransportName, silenceLimitMs: number }} ConnectionState
 */

export class Connection {
  /** @type {(message: Message) => void} */
  onmessage = ignore;
  /** @type {(state: ConnectionState) => void} */
  onstate = ignore;
  #clock;
  #build;
  #since;
  #backoff;
  #order;
  #isStarted = false;
  /** @type {Race | null} */
  #race = null;
  /** @type {Link | null} */
  #link = null;
  /** @type {(() => void) | null} Set while waiting for the next race. */
  #cancelWait = null;
  #isWaitOrdered = false;

  /**
   * @param {object} parts
   * @param {import("./clock.js").Clock} parts.clock
   * @param {() => number} parts.random  From 0 up to 1.
   * @param {Record<TransportName, () => Transport>} parts.transports  In order of preference.
   * @param {() => string} parts.since  The cursor to go on from, asked for at every start of a race.
   */
  constructor({ clock, random, transports, since }) {
    this.#clock = clock;
    this.#build = transports;
    this.#since = since;
    this.#backoff = new Backoff(random);
    this.#order = new TransportOrder(/** @type {TransportName[]} */ (Object.keys(transports)));
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#connect();
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#clear();
    this.onstate({ phase: "down" });
  }

  /** The page is looked at again, or the machine woke up: a link not heard for a heartbeat is not believed. */
  wake() {
    if (this.#cancelWait && !this.#isWaitOrdered) this.#connect();
    else if (this.#link?.isDoubtful()) {
      this.onstate({ phase: "down" });
      this.#connect();
    }
  }

  /** The browser says that it has a network again, perhaps another one: what was learned about the old one is void. */
  online() {
    this.#order.forget();
    this.#backoff.reset();
    this.wake();
  }

  /** The browser says that it has no network. It may be wrong (this machine itself can be the server). */
  offline() {
    this.#link?.doubt();
  }

  #connect() {
    this.#clear();
    this.onstate({ phase: "connecting" });
    this.#race = new Race({
      clock: this.#clock,
      transports: this.#order.names().map((name) => this.#build[name]()),
      since: this.#since(),
      onwin: (transport, hello) => this.#won(transport, hello),
      onlose: (retryMs) => this.#lost(retryMs),
    });
    this.#race.start();
  }

  /**
   * @param {Transport} transport
   * @param {Message} hello
   */
  #won(transport, hello) {
    this.#race = null;
    const link = new Link({
      clock: this.#clock,
      transport,
      onmessage: (message) => this.#heard(link, message),
      onend: (ending) => this.#ended(link, ending),
    });
    this.#link = link;
    link.start(hello);
  }

  /**
   * @param {Link} link
   * @param {Message} message
   */
  #heard(link, message) {
    if (message.type === "hello") {
      this.onstate({ phase: "up", transport: link.transport.name, silenceLimitMs: link.silenceLimitMs });
    }
    this.onmessage(message);
  }

  /**
   * @param {Link} link
   * @param {import("./link.js").LinkEnding} ending
   */
  #ended(link, ending) {
    this.#link = null;
    if (link.wasUseful()) {
      this.#backoff.reset();
      this.#order.praise(link.transport.name);
    } else if (!ending.asked) {
      this.#order.blame(link.transport.name);
    }
    this.#lost(ending.retryMs);
  }

  /** @param {number | undefined} retryMs  Waited out as it is: the server has spread its viewers already. */
  #lost(retryMs) {
    this.#clear();
    this.onstate({ phase: "down" });
    const orderedMs = boundRetry(retryMs);
    this.#isWaitOrdered = orderedMs !== null;
    this.#cancelWait = this.#clock.after(orderedMs ?? this.#backoff.next(), () => this.#connect());
  }

  #clear() {
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#race?.stop();
    this.#race = null;
    this.#link?.stop();
    this.#link = null;
  }
}
