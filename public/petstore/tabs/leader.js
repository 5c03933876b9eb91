// @ts-check
/**
 * The tab that holds the only connection of the browser: relays its messages, and replies to tabs that join.
 *
 * The connection is as narrow as the tabs that share it. For another filter a second connection starts beside the first, at
 * its position, and replaces it once it is up. The second one repeats what the first has delivered meanwhile, which every
 * tab recognizes by the cursors. Nothing is missing, because of all pets in its filter it has every change from there on.
 */
import { noop } from "../transports/transport.js";
import { covers, union } from "./pet-filter.js";
import { Stream } from "./stream.js";
/** @import { Answer } from "../connection/catch-up.js" */
/** @import { ChannelElection } from "./channel-election.js" */
/** @import { Connect } from "./stream.js" */
/** @import { Join, PageEvent, TabMessage } from "./tab-message.js" */
/** @import { Tab } from "./tab.js" */

/** Time from the departure of a tab to a narrower connection. A reader who follows links leaves and joins all the time. */
const NARROW_AFTER_MS = 30_000;

export class Leader {
  #tab;
  #options;
  #post;
  #stream;
  /** @type {Stream | null} With another filter, and not up yet. */
  #next = null;
  /** The newest message of each tab that joined, this one included. @type {Map<string, Join>} */
  #members = new Map();
  #cancelNarrowing = noop;

  /**
   * @param {Tab} tab
   * @param {object} options
   * @param {string[]} options.pets  Of the tabs that are known to share the connection.
   * @param {Connect} options.connect
   * @param {Pick<ChannelElection, "term" | "outranks">} options.election
   * @param {(message: TabMessage) => void} options.post  To every tab, this one included.
   * @param {() => void} options.onreplaced  Another tab leads.
   */
  constructor(tab, options) {
    this.#tab = tab;
    this.#options = options;
    this.#post = options.post;
    this.#stream = this.#open(options.pets, tab.cursor);
  }

  /** @param {Promise<Answer>} [firstPoll]  The first request of the page, if it is new. */
  start(firstPoll) {
    this.#claim();
    this.#use(this.#stream);
    this.#stream.start(firstPoll);
    this.#narrowLater();
  }

  /** Ends the connection without notifying the others: for them it continues with the next leader. */
  stop() {
    this.#cancelNarrowing();
    this.#stream.stop();
    this.#next?.stop();
  }

  /**
   * A tab that slept may learn of its successor before it learns that it lost the lock, and must not reply in its place.
   * @param {TabMessage} message
   */
  receive(message) {
    if (message.kind === "lead") {
      // Of two leaders one stays. It repeats its claim, for the other one and for that one's followers.
      if (this.#options.election.outranks(message)) this.#claim();
      else this.#options.onreplaced();
    } else if (message.kind === "join") {
      this.#members.set(message.from, message);
      this.#widen();
      // Last: this tab may start to lead again if the reply does not help its own page.
      this.#welcome(message);
    } else if (message.kind === "leave") {
      this.#members.delete(message.from);
      this.#narrowLater();
    } else if (message.kind === "page-event") {
      this.#handle(message.event);
    }
  }

  /** @param {PageEvent} event */
  #handle(event) {
    this.#stream.connection[event]();
    this.#next?.connection[event]();
  }

  #claim() {
    this.#post({ kind: "lead", leader: this.#tab.id, term: this.#options.election.term });
  }

  /** @param {Stream} stream */
  #use(stream) {
    const { id } = this.#tab;
    const { pets } = stream;
    this.#stream = stream;
    stream.onmessage = (message, after) => this.#post({ kind: "message", leader: id, pets, after, message });
    let wasUp = false;
    stream.onstate = () => {
      const { state } = stream;
      this.#post({ kind: "state", leader: id, state });
      if (wasUp && state.phase !== "up") this.#countMembers();
      wasUp = state.phase === "up";
    };
  }

  /** Finds out which tabs are left: one that crashed has not announced it. */
  #countMembers() {
    this.#members.clear();
    this.#post({ kind: "rejoin", leader: this.#tab.id });
    this.#narrowLater();
  }

  /** @param {string[]} pets @param {string} position */
  #open(pets, position) {
    const isHidden = () => this.#tab.isHidden && [...this.#members.values()].every((member) => member.isHidden);
    return new Stream(pets, position, this.#options.connect, isHidden);
  }

  #petsOfAll() {
    return union([this.#tab.pets, ...[...this.#members.values()].map(({ pets }) => pets)]);
  }

  /** Also keeps the pets of tabs that have not joined yet, or have left, to change the connection less often. */
  #widen() {
    const pets = union([this.#stream.pets, this.#petsOfAll()]);
    if (!this.#next && !covers(this.#stream.pets, pets)) this.#change(pets);
  }

  #narrowLater() {
    this.#cancelNarrowing();
    this.#cancelNarrowing = this.#tab.clock.after(NARROW_AFTER_MS, () => {
      if (this.#next) return this.#narrowLater();
      const pets = this.#petsOfAll();
      if (!covers(pets, this.#stream.pets)) this.#change(pets);
    });
  }

  /** @param {string[]} pets */
  #change(pets) {
    const next = this.#open(pets, this.#stream.position);
    this.#next = next;
    next.onstate = () => next.state.phase === "up" && this.#replaceStream(next);
    next.start();
  }

  /** @param {Stream} next */
  #replaceStream(next) {
    this.#stream.stop();
    this.#next = null;
    this.#use(next);
    next.onstate();
    // Other tabs may have joined meanwhile.
    this.#widen();
  }

  /** @param {Join} join */
  #welcome({ from, since }) {
    const { pets, state, hello, position } = this.#stream;
    this.#post({
      kind: "welcome",
      leader: this.#tab.id,
      to: from,
      pets,
      state,
      hello: state.phase === "up" ? hello : null,
      since,
      position,
      changes: this.#stream.since(since),
      isHidden: this.#tab.isHidden,
    });
  }
}
