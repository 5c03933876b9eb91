// @ts-check
/**
 * Tries better transports from time to time, beside the link that the page uses.
 *
 * The page uses their messages immediately, but moves only once a candidate was useful, now or earlier on this network.
 * Until then the current link stays, so a failed attempt has no visible effect.
 */
import { noop } from "../transports/transport.js";
/** @import { TransportPreference } from "./transport-preference.js" */
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { TransportName } from "../transports/transport.js" */
/** @import { LinkFactory } from "./link-factory.js" */
/** @import { Link } from "./link.js" */
/** @import { Race, Win } from "./race.js" */

/** @typedef {{ link: Link, hello: Message }} Candidate */

/** Delay before the first attempt, if the better transports are known to fail. Doubles with each failure. */
const FIRST_MS = 2 * 60_000;
const LIMIT_MS = 30 * 60_000;

/** The same if a better transport has not really failed: it was slow, died once, or this page did not try it. */
const UNTRIED_MS = 10_000;

/** The same if a better transport has worked on this network: it was refused because the server was starting. */
const PROVEN_MS = 250;

export class Upgrade {
  /** @type {(link: Link, message: Message) => void} Receives the messages of a candidate, except its hello. */
  onmessage = noop;
  /** @type {(candidate: Candidate) => void} The candidate was useful. The caller takes over the link and its handlers. */
  onupgrade = noop;
  #clock;
  #links;
  #preference;
  #savesData;
  /** @type {TransportName | null} Transport of the current link; null if there is no better one. */
  #from = null;
  #delayMs = 0;
  /** @type {(() => void) | null} Set while waiting for the next attempt. */
  #cancelWait = null;
  /** @type {Race | null} */
  #race = null;
  /** @type {Candidate | null} */
  #candidate = null;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {LinkFactory} options.links
   * @param {TransportPreference} options.preference
   * @param {() => boolean} options.savesData  If true, only `tryNow` makes an attempt.
   */
  constructor({ clock, links, preference, savesData }) {
    this.#clock = clock;
    this.#links = links;
    this.#preference = preference;
    this.#savesData = savesData;
  }

  /** @param {Link} link  The current link of the page. */
  start({ name, refused }) {
    this.stop();
    const better = this.#preference.betterThan(name);
    if (better.length === 0) return;
    this.#from = name;
    const isUntried = better.some((other) => !this.#preference.isFailing(other) && !refused.includes(other));
    const isProven = better.some((other) => this.#preference.isProven(other));
    this.#delayMs = isProven ? PROVEN_MS : isUntried ? UNTRIED_MS : FIRST_MS;
    this.#schedule();
  }

  stop() {
    this.#from = null;
    this.#cancelWait?.();
    this.#cancelWait = null;
    this.#race?.stop();
    this.#race = null;
    this.#candidate?.link.stop();
    this.#candidate = null;
  }

  /** Makes an attempt immediately: the network may have changed. */
  tryNow() {
    if (!this.#cancelWait) return;
    this.#delayMs = UNTRIED_MS;
    this.#try();
  }

  /** Stops, and returns a link that has delivered hello, for a page that lost its own. */
  takeCandidate() {
    const candidate = this.#candidate;
    this.#candidate = null;
    this.stop();
    return candidate;
  }

  #schedule() {
    this.#cancelWait = this.#clock.after(this.#delayMs, () => {
      if (this.#savesData()) this.#schedule();
      else this.#try();
    });
  }

  #try() {
    this.#cancelWait?.();
    this.#cancelWait = null;
    if (this.#from) this.#runRace(this.#preference.betterThan(this.#from), this.#from);
  }

  /** @param {TransportName[]} names @param {TransportName} from */
  #runRace(names, from) {
    if (names.length === 0) return this.#fail();
    this.#race = this.#links.race({
      names,
      cause: { from, why: "upgrade" },
      onwin: (win) => this.#won(win, names.filter((name) => name !== win.transport.name), from),
      onlose: () => this.#fail(),
    });
    this.#race.start();
  }

  /**
   * @param {Win} win
   * @param {TransportName[]} others  To try if this one is not useful.
   * @param {TransportName} from
   */
  #won(win, others, from) {
    this.#race = null;
    const link = this.#links.link(win);
    const start = this.#links.cursor;
    this.#candidate = { link, hello: win.hello };
    link.onmessage = (message) => {
      if (message.type !== "hello") this.onmessage(link, message);
      if (link.wasUseful() && link.hasReached(start)) this.#upgrade();
    };
    link.onend = ({ why }) => {
      this.#candidate = null;
      link.stop();
      if (why === "bye") return this.#fail();
      this.#preference.recordFailure(link.name, why);
      this.#runRace(others.filter((name) => !win.refused.includes(name)), from);
    };
    link.start();
    if (this.#preference.isProven(link.name)) this.#upgrade();
  }

  #upgrade() {
    const candidate = this.takeCandidate();
    if (candidate) this.onupgrade(candidate);
  }

  #fail() {
    this.#race = null;
    if (this.#from) this.#preference.recordBest(this.#from);
    this.#delayMs = this.#delayMs < FIRST_MS ? FIRST_MS : Math.min(LIMIT_MS, this.#delayMs * 2);
    this.#schedule();
  }
}
