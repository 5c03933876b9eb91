// @ts-check
/**
 * The public API: watches the pets of one server, and keeps a board of them up to date.
 *
 * A message goes from the connection to the board, and then to the listeners as events. The watch follows the page by
 * itself: it connects when the page is first visible, and disconnects while the page is cached or frozen.
 */
import { Board } from "./board/board.js";
import { ConnectionSummary } from "./connection-summary.js";
import { EventLoopMonitor } from "./connection/event-loop-monitor.js";
import { ServerClock } from "./connection/server-clock.js";
import { pageEnvironment } from "./environment.js";
import { openConnection } from "./open-connection.js";
import { PageLifecycle } from "./page-lifecycle.js";
import { noop } from "./transports/transport.js";
import { checkSite, checkPets, checkSince } from "./watch-options.js";
/** @import { Change, Pet } from "./board/pet.js" */
/** @import { Summary } from "./connection-summary.js" */
/** @import { Environment } from "./environment.js" */
/** @import { FirstPoll } from "./connection/catch-up.js" */
/** @import { Message } from "./protocol/message.js" */

/**
 * @typedef {object} WatchOptions
 * @property {Iterable<number | string>} [pets]  Ids of the pets to watch, at most 100. Without it, every pet.
 * @property {string} [since]  The cursor of what the page already shows. Without it, the server sends a snapshot first.
 * @property {AbortSignal} [signal]  Closes the watch.
 */

/**
 * The options that only our own pages pass in.
 * @typedef {object} Internals
 * @property {Board} board  With the pets of the server's HTML.
 * @property {ServerClock} serverClock
 * @property {EventLoopMonitor} eventLoop
 * @property {ConnectionSummary} summary
 * @property {string} chaos  The network fault to simulate, in the demo.
 * @property {FirstPoll} firstPoll
 */

/** @typedef {{ site: string, pets: string[], since: string }} Checked  Options without mistakes; no pets for every pet. */

/** @typedef {Pick<Board, "get" | "size"> & Iterable<Pet>} ReadonlyBoard */

/**
 * The event types, with the type of `detail`.
 * @typedef {object} WatchEvents
 * @property {CustomEvent<Message>} message  Each message of the server, heartbeats included.
 * @property {CustomEvent<Change[]>} change  The board changed, by any message.
 * @property {CustomEvent<Message>} snapshot
 * @property {CustomEvent<Message>} status
 * @property {CustomEvent<Message>} pet
 * @property {CustomEvent<Message>} gone
 * @property {CustomEvent<Summary>} connection  The state or the transport changed.
 */

/**
 * `addEventListener` with the type of each event.
 * @typedef {<K extends keyof WatchEvents>(type: K, listener: (event: WatchEvents[K]) => void,
 *   options?: boolean | AddEventListenerOptions) => void} AddWatchListener
 */

/** How often the state is checked: it also changes with time alone. */
const CHECK_MS = 1_000;

/**
 * Watches the pets of a server.
 * @param {string | URL} origin  E.g. `https://rescue.example`.
 * @param {WatchOptions} [options]
 * @param {Partial<Internals & Environment>} [internals]
 * @returns {{ addEventListener: AddWatchListener } & Watch}
 * @throws {TypeError} If an option is invalid; the message says what is allowed.
 */
export function watch(origin, { pets, since, signal } = {}, internals = {}) {
  const checked = { site: checkSite(origin), pets: checkPets(pets), since: checkSince(since) };
  const opened = new CheckedWatch(checked, { ...pageEnvironment(), ...internals });
  opened.start(signal);
  // Only its types differ.
  return /** @type {any} */ (opened);
}

/**
 * Watches pets as the server's HTML names them, which needs no checks: for our own pages.
 * @param {Checked} checked
 * @param {Partial<Internals & Environment>} internals
 * @returns {{ addEventListener: AddWatchListener } & Watch}
 */
export function watchUnchecked(checked, internals) {
  const opened = new Watch(checked, { ...pageEnvironment(), ...internals });
  opened.start();
  return /** @type {any} */ (opened);
}

/** Closes with `close()`, with its signal, or with the page. */
export class Watch extends EventTarget {
  #clock;
  #board;
  #serverClock;
  #summary;
  #connection;
  #lifecycle;
  /** The summary in the last `connection` event. */
  #shown;
  #cancelCheck = noop;
  #isClosed = false;
  /** The board is that of other pets, until the next snapshot. */
  #needsSnapshot = false;
  /** @type {AbortSignal | undefined} */
  #signal;

  /**
   * @param {Checked} checked
   * @param {Partial<Internals> & Environment} environment
   */
  constructor({ site, pets, since }, environment) {
    super();
    const { browser, clock, random, chaos, firstPoll } = environment;
    const board = environment.board ?? new Board(since);
    const serverClock = environment.serverClock ?? new ServerClock(clock);
    const eventLoop = environment.eventLoop ?? new EventLoopMonitor(clock);
    const asOf = clock.now();
    this.#clock = clock;
    this.#board = board;
    this.#serverClock = serverClock;
    this.#summary = environment.summary ?? new ConnectionSummary({ clock, serverClock, eventLoop, asOf });
    this.#shown = this.#summary.current();
    const connection = openConnection({
      browser,
      clock,
      serverClock,
      eventLoop,
      random,
      watch: { site, pets, chaos },
      since: () => this.cursor,
      firstPoll,
    });
    connection.onmessage = (message) => this.#receive(message);
    connection.onstate = (state) => {
      this.#summary.setConnection(state);
      this.#check();
    };
    this.#connection = connection;
    this.#lifecycle = new PageLifecycle({
      window: browser,
      document: browser.document,
      network: browser.navigator.connection,
      handlers: {
        begin: () => this.#connect(),
        leave: () => this.#disconnect(),
        comeBack: () => this.#connect(),
        wake: () => (connection.wake(), this.#check()),
        online: () => connection.online(),
        offline: () => (connection.offline(), this.#summary.disconnected()),
      },
    });
  }

  /** The pets as they are now: `get(id)`, `size`, and iteration. @returns {ReadonlyBoard} */
  get board() {
    return this.#board;
  }

  /** The position of the board in the history of the server; "" before the first snapshot, and after `setPets` before the next. */
  get cursor() {
    return this.#needsSnapshot ? "" : this.#board.cursor;
  }

  /** The state of the connection, as in the last `connection` event. @returns {Summary} */
  get connection() {
    return this.#shown;
  }

  /** Watches other pets from now on. A snapshot follows, with the board of these pets. @param {any} pets  Checked ids. */
  setPets(pets) {
    this.#needsSnapshot = true;
    this.#connection.setPets(pets);
  }

  /** @param {AbortSignal} [signal]  Closes the watch. */
  start(signal) {
    if (signal?.aborted) return;
    this.#signal = signal;
    signal?.addEventListener("abort", this.close);
    this.#lifecycle.start();
  }

  /** Ends the connection and the events, for good. */
  close = () => {
    this.#isClosed = true;
    this.#signal?.removeEventListener("abort", this.close);
    this.#lifecycle.stop();
    this.#disconnect();
  };

  #connect() {
    this.#connection.start();
    this.#check();
  }

  #disconnect() {
    this.#connection.stop();
    this.#cancelCheck();
  }

  /** @param {Message} message */
  #receive(message) {
    this.#serverClock.sync(message.server_time);
    this.#summary.receive(message);
    const { cursor } = this;
    const changes = this.#board.apply(message);
    if (message.type === "snapshot") this.#needsSnapshot = false;
    // Each transport that starts without a cursor brings its own snapshot.
    const isRepeated = message.type === "snapshot" && changes?.length === 0 && cursor === this.cursor;
    this.#dispatch("message", message);
    if (changes && !isRepeated) {
      if (changes.length > 0) this.#dispatch("change", changes);
      this.#dispatch(message.type, message);
    }
    this.#check();
  }

  /** Notifies the listeners if the state or the transport changed, now and every second. */
  #check() {
    this.#cancelCheck();
    if (this.#isClosed) return;
    this.#cancelCheck = this.#clock.after(CHECK_MS, () => this.#check());
    const { state, transport } = this.#shown;
    this.#shown = this.#summary.current();
    if (this.#shown.state !== state || this.#shown.transport !== transport) this.#dispatch("connection", this.#shown);
  }

  /** A listener may close the watch while a message is dispatched. @param {string} type @param {unknown} detail */
  #dispatch(type, detail) {
    if (!this.#isClosed) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The watch of pages of other sites. */
class CheckedWatch extends Watch {
  /**
   * Watches other pets from now on. A snapshot follows, with the board of these pets.
   * @param {WatchOptions["pets"]} pets  Without it, every pet.
   * @throws {TypeError} If an id is invalid.
   */
  setPets(pets) {
    super.setPets(checkPets(pets));
  }
}
