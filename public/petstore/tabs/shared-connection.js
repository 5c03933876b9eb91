// @ts-check
/**
 * One live connection for all tabs of a browser, with the interface of `Connection`.
 *
 * A Web Lock elects the leader; without Web Locks, as on pages over plain http, the tabs elect it over their channel. The
 * leader has a connection that watches every pet, and relays its messages to the followers over a BroadcastChannel. If
 * there is no channel, each tab leads itself. A page that goes away releases lock and channel, which would keep it out of
 * the back/forward cache.
 */
import { noop } from "../transports/transport.js";
import { ChannelElection } from "./channel-election.js";
import { Follower } from "./follower.js";
import { Leader } from "./leader.js";
import { LockElection } from "./lock-election.js";
import { Tab } from "./tab.js";
/** @import { Clock } from "../clock.js" */
/** @import { Connection } from "../connection/connection.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { CatchUp } from "../connection/catch-up.js" */

export class SharedConnection {
  /** @type {(message: Message) => void} */
  onmessage = noop;
  /** @type {(state: ConnectionState) => void} */
  onstate = noop;
  #options;
  #tab;
  /** @type {LockElection | ChannelElection} */
  #election;
  /** @type {Leader | Follower | null} Null while stopped. */
  #role = null;
  /** @type {BroadcastChannel | null} Null while stopped, and in a tab that leads only itself. */
  #channel = null;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => number} options.random  Returns a number from 0 up to 1.
   * @param {() => string} options.since  Returns the cursor of the page, which `onmessage` advances.
   * @param {string} options.name  Of lock and channel: tabs with the same name share.
   * @param {string[]} options.pets  Ids that the page shows; empty means every pet.
   * @param {() => boolean} options.isHidden
   * @param {LockManager} [options.locks]
   * @param {typeof BroadcastChannel} options.BroadcastChannel
   * @param {() => Connection} options.connect  Builds one for every pet, not started.
   * @param {Pick<CatchUp, "run">} options.catchUp
   */
  constructor(options) {
    this.#options = options;
    this.#tab = new Tab({
      ...options,
      post: (message) => this.#channel?.postMessage(message),
      onmessage: (message) => this.onmessage(message),
      onstate: (state) => this.onstate(state),
    });
    this.#election = options.locks ? this.#lockElection(options.locks) : this.#channelElection();
  }

  /** @param {LockManager} locks */
  #lockElection(locks) {
    return new LockElection({
      locks,
      name: this.#options.name,
      onwin: () => this.#lead(),
      onlose: () => this.#follow(),
      onfail: () => {
        this.#election = this.#channelElection();
        this.#follow();
      },
    });
  }

  #channelElection() {
    return new ChannelElection(this.#tab, () => this.#lead());
  }

  start() {
    if (this.#role) return;
    this.onstate({ phase: "connecting" });
    try {
      this.#channel = new this.#options.BroadcastChannel(this.#options.name);
    } catch {
      return this.#leadAlone();
    }
    this.#channel.onmessage = ({ data }) => {
      this.#election.receive(data);
      this.#role?.receive(data);
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
    this.#role?.handle("wake");
  }

  online() {
    this.#role?.handle("online");
  }

  offline() {
    this.#role?.handle("offline");
  }

  #follow() {
    const follower = new Follower(this.#tab, {
      hasQueue: this.#election.hasQueue,
      catchUp: this.#options.catchUp,
      ontakeover: () => this.#election.takeOver(),
      ongiveup: () => this.#leadAlone(),
    });
    this.#become(follower);
    this.#election.follow();
  }

  #lead() {
    const connection = this.#options.connect();
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
