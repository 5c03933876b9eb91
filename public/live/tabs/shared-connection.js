// @ts-check
/**
 * One live connection for all tabs of a browser, with the same outside as `Connection`.
 *
 * A Web Lock elects the tab that leads; without Web Locks, as on pages over plain http, the tabs elect it themselves. The leader has a real connection that watches every pet, and a BroadcastChannel carries what comes
 * over it to the tabs that follow. Where there is no channel either, each tab leads itself. A page that goes away lets go
 * of lock and channel: they would keep it out of the back/forward cache.
 */
import { ignore } from "../transports/transport.js";
import { Election } from "./channel-election.js";
import { Follower } from "./follower.js";
import { Leader } from "./leader.js";
import { Leadership } from "./lock-election.js";
import { Tab } from "./tab.js";

/** @typedef {import("../transports/message.js").Message} Message */
/** @typedef {import("../connection/connection.js").ConnectionState} ConnectionState */

export class SharedConnection {
  /** @type {(message: Message) => void} */
  onmessage = ignore;
  /** @type {(state: ConnectionState) => void} */
  onstate = ignore;
  #parts;
  #tab;
  /** @type {Leadership | Election} */
  #election;
  /** @type {Leader | Follower | null} Null while stopped. */
  #role = null;
  /** @type {BroadcastChannel | null} Null while stopped, and in a tab that leads only itself. */
  #channel = null;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {() => number} parts.random  From 0 up to 1.
   * @param {() => string} parts.since  Where the page is; every message passed on moves it before the next.
   * @param {string} parts.name  Of lock and channel: tabs of the same name share.
   * @param {string[]} parts.pets  Ids that the page shows; none means every pet.
   * @param {() => boolean} parts.isHidden
   * @param {LockManager} [parts.locks]
   * @param {typeof BroadcastChannel} parts.BroadcastChannel
   * @param {() => import("../connection/connection.js").Connection} parts.connect  A new one, not started, for every pet.
   * @param {(cursor: string, signal: AbortSignal) => Promise<Message[]>} parts.missedSince  Asks the server.
   */
  constructor(parts) {
    this.#parts = parts;
    this.#tab = new Tab({
      ...parts,
      post: (note) => this.#channel?.postMessage(note),
      onmessage: (message) => this.onmessage(message),
      onstate: (state) => this.onstate(state),
    });
    this.#election = parts.locks ? this.#byLock(parts.locks) : this.#byClaim();
  }

  /** @param {LockManager} locks */
  #byLock(locks) {
    return new Leadership({
      locks,
      name: this.#parts.name,
      onwin: () => this.#lead(),
      onlose: () => this.#follow(),
      onfail: () => {
        this.#election = this.#byClaim();
        this.#follow();
      },
    });
  }

  #byClaim() {
    return new Election(this.#tab, () => this.#lead());
  }

  start() {
    if (this.#role) return;
    this.onstate({ phase: "connecting" });
    try {
      this.#channel = new this.#parts.BroadcastChannel(this.#parts.name);
    } catch {
      return this.#leadAlone();
    }
    this.#channel.onmessage = ({ data }) => {
      this.#election.hear(data);
      this.#role?.hear(data);
    };
    this.#follow();
  }

  stop() {
    if (!this.#role) return;
    this.#become(null);
    this.#leave();
    this.onstate({ phase: "down" });
  }

  wake() {
    this.#role?.turn("wake");
  }

  online() {
    this.#role?.turn("online");
  }

  offline() {
    this.#role?.turn("offline");
  }

  #follow() {
    const follower = new Follower(this.#tab, {
      hasQueue: this.#election.hasQueue,
      missedSince: this.#parts.missedSince,
      onseize: () => this.#election.seize(),
      ongiveup: () => this.#leadAlone(),
    });
    this.#become(follower);
    this.#election.queue();
  }

  #lead() {
    const connection = this.#parts.connect();
    const election = this.#election;
    this.#become(new Leader(this.#tab, { connection, election, onreplaced: () => this.#follow() }));
  }

  #leadAlone() {
    this.#leave();
    this.#lead();
  }

  /** @param {Leader | Follower | null} role */
  #become(role) {
    this.#role?.stop();
    this.#role = role;
    role?.start();
  }

  #leave() {
    this.#election.leave();
    if (this.#channel) this.#channel.onmessage = null;
    this.#channel?.close();
    this.#channel = null;
  }
}
