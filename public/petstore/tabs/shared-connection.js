// @ts-check
/**
 * One live connection for all tabs of a browser, with the interface of `Connection`, and pets that may change.
 *
 * A Web Lock elects the leader; without Web Locks, as on pages over plain http, the tabs elect it over their channel. The
 * leader has a connection for the pets of all tabs, and relays its messages over a BroadcastChannel. If there is no channel,
 * each tab leads itself. A page that goes away releases lock and channel, which would keep it out of the back/forward cache.
 */
import { noop } from "../transports/transport.js";
import { ChannelElection } from "./channel-election.js";
import { Follower } from "./follower.js";
import { Leader } from "./leader.js";
import { LockElection } from "./lock-election.js";
import { union } from "./pet-filter.js";
import { Tab } from "./tab.js";
/** @import { Clock } from "../clock.js" */
/** @import { CatchUp } from "../connection/catch-up.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Connect } from "./stream.js" */
/** @import { PageEvent, TabMessage } from "./tab-message.js" */

export class SharedConnection {
  /** @type {(message: Message) => void} */
  onmessage = noop;
  /** @type {(state: ConnectionState) => void} */
  onstate = noop;
  #options;
  #tab;
  /** @type {LockElection | ChannelElection} */
  #election;
  /** @type {Follower | null} Null while stopped. */
  #follower = null;
  /** @type {Leader | null} Null unless this tab leads. */
  #leader = null;
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
   * @param {typeof BroadcastChannel} [options.BroadcastChannel]
   * @param {Connect} options.connect
   * @param {Pick<CatchUp, "run">} options.catchUp
   */
  constructor(options) {
    this.#options = options;
    this.#tab = new Tab({
      ...options,
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
      onlose: () => this.#replaced(),
      onfail: () => {
        this.#election = this.#channelElection();
        this.#follower?.leaderless();
      },
    });
  }

  #channelElection() {
    const post = (/** @type {TabMessage} */ message) => this.#channel?.postMessage(message);
    const { id, clock } = this.#tab;
    return new ChannelElection({ id, clock, post, onwin: () => this.#lead() });
  }

  start() {
    if (this.#follower) return;
    this.onstate({ phase: "connecting" });
    this.#follower = new Follower(this.#tab, {
      hasQueue: () => this.#election.hasQueue,
      catchUp: this.#options.catchUp,
      post: (message) => this.#toLeader(message),
      // A leader that cannot get what its page is missing starts again at the cursor of the page.
      ontakeover: () => (this.#leader ? this.#lead() : this.#election.takeOver()),
      ongiveup: () => this.#leadAlone(),
    });
    try {
      this.#channel = this.#openChannel();
    } catch {
      // In this order, so that the connection uses the request of the page.
      this.#follower.start();
      return this.#lead();
    }
    this.#election.follow();
    this.#follower.start();
  }

  stop() {
    if (!this.#follower) return;
    if (!this.#leader) this.#toLeader({ kind: "leave", from: this.#tab.id });
    this.#follower.stop();
    this.#follower = null;
    this.#stopLeading();
    this.#leave();
    this.onstate({ phase: "down" });
  }

  /**
   * Watches other pets from now on. `since` must return the cursor from which the page needs their changes, or "" for a
   * snapshot.
   * @param {string[]} pets
   */
  setPets(pets) {
    this.#tab.pets = pets;
    this.#follower?.restart();
  }

  wake() {
    this.#follower?.handle("wake");
  }

  online() {
    this.#follower?.handle("online");
  }

  offline() {
    this.#follower?.handle("offline");
  }

  #openChannel() {
    // Not in every browser: then this throws too.
    const channel = new /** @type {typeof BroadcastChannel} */ (this.#options.BroadcastChannel)(this.#options.name);
    channel.onmessage = ({ data }) => {
      this.#election.receive(data);
      this.#leader?.receive(data);
      if (!this.#leader) this.#follower?.receive(data);
    };
    return channel;
  }

  /** @param {TabMessage} message  From this tab, as one that follows. */
  #toLeader(message) {
    if (this.#leader) this.#leader.receive(message);
    else this.#channel?.postMessage(message);
  }

  /** @param {TabMessage} message  From this tab, as the leader. */
  #toFollowers(message) {
    if (message.kind !== "welcome" || message.to !== this.#tab.id) this.#channel?.postMessage(message);
    this.#follower?.receive(message);
  }

  #lead() {
    this.#stopLeading();
    const known = this.#follower?.filter;
    this.#leader = new Leader(this.#tab, {
      pets: known ? union([known, this.#tab.pets]) : this.#tab.pets,
      connect: this.#options.connect,
      election: this.#election,
      post: (message) => this.#toFollowers(message),
      onreplaced: () => this.#replaced(),
    });
    this.#leader.start(this.#follower?.firstPoll);
  }

  #replaced() {
    this.#stopLeading();
    this.#election.follow();
    this.#follower?.leaderless();
  }

  #leadAlone() {
    this.#leave();
    this.#lead();
  }

  #stopLeading() {
    this.#leader?.stop();
    this.#leader = null;
  }

  #leave() {
    this.#election.leave();
    if (this.#channel) this.#channel.onmessage = null;
    this.#channel?.close();
    this.#channel = null;
  }
}
