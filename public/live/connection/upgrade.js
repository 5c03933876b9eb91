// @ts-check
/**
 * The way back up: while a link of a lesser rung is live, those above it are tried beside it, now and then.
 *
 * What they deliver counts at once; the page moves only when one of them has been of use, now or before on this
 * network. Until then the link below stays, so a try that fails is seen by nobody.
 */
import { ignore } from "../transports/transport.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("../transports/message.js").Message} Message */
/** @typedef {import("../transports/transport.js").TransportName} TransportName */
/** @typedef {{ link: Link, hello: Message }} Candidate */

/** The first try, where a better rung is known not to work. It doubles with each that fails. */
const FIRST_MS = 2 * 60_000;
const LIMIT_MS = 30 * 60_000;

/** The first try where one was not really tried: it was slow, or died once, or this page began below it. */
const SOON_MS = 10_000;

/** The first try where one has worked on this network: a server that was just starting let down all who came first. */
const AT_ONCE_MS = 250;

export class Climb {
  /** @type {(link: Link, message: Message) => void} What a candidate brings, without its hello. */
  onmessage = ignore;
  /** @type {(candidate: Candidate) => void} It is of use. The link and its handlers are then the caller's. */
  onclimb = ignore;
  #clock;
  #dialer;
  #ladder;
  #isFrugal;
  /** @type {TransportName | null} Of the link that is live; null while there is nothing above it. */
  #from = null;
  #delayMs = 0;
  /** @type {(() => void) | null} Set while waiting for the next try. */
  #cancelWait = null;
  /** @type {import("./race.js").Race | null} */
  #race = null;
  /** @type {Candidate | null} */
  #candidate = null;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {import("./link-factory.js").Dialer} parts.dialer
   * @param {import("../../state/transport-preference.js").Ladder} parts.ladder
   * @param {() => boolean} parts.isFrugal  Whether to try nothing that nobody asked for.
   */
  constructor({ clock, dialer, ladder, isFrugal }) {
    this.#clock = clock;
    this.#dialer = dialer;
    this.#ladder = ladder;
    this.#isFrugal = isFrugal;
  }

  /** @param {Link} link  That is live now. */
  start({ name, refused }) {
    this.stop();
    const above = this.#ladder.above(name);
    if (above.length === 0) return;
    this.#from = name;
    const isOpen = above.some((better) => !this.#ladder.isOut(better) && !refused.includes(better));
    const isTrusted = above.some((better) => this.#ladder.isTrusted(better));
    this.#delayMs = isTrusted ? AT_ONCE_MS : isOpen ? SOON_MS : FIRST_MS;
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

  /** Tries at once: something says that the network is another. */
  now() {
    if (!this.#cancelWait) return;
    this.#delayMs = SOON_MS;
    this.#try();
  }

  /** @returns {Candidate | null} A link that has said hello, for a page that has lost the one it had. Ends the climb. */
  yield() {
    const candidate = this.#candidate;
    this.#candidate = null;
    this.stop();
    return candidate;
  }

  #schedule() {
    this.#cancelWait = this.#clock.after(this.#delayMs, () => {
      if (this.#isFrugal()) this.#schedule();
      else this.#try();
    });
  }

  #try() {
    this.#cancelWait?.();
    this.#cancelWait = null;
    if (this.#from) this.#run(this.#ladder.above(this.#from), this.#from);
  }

  /**
   * @param {TransportName[]} names
   * @param {TransportName} from
   */
  #run(names, from) {
    if (names.length === 0) return this.#fail();
    this.#race = this.#dialer.race({
      names,
      change: { from, why: "climb" },
      onwin: (win) => this.#won(win, names.filter((name) => name !== win.transport.name), from),
      onlose: () => this.#fail(),
    });
    this.#race.start();
  }

  /**
   * @param {import("./race.js").Win} win
   * @param {TransportName[]} others  To try if this one is of no use.
   * @param {TransportName} from
   */
  #won(win, others, from) {
    this.#race = null;
    const link = this.#dialer.link(win);
    const start = this.#dialer.cursor;
    this.#candidate = { link, hello: win.hello };
    link.onmessage = (message) => {
      if (message.type !== "hello") this.onmessage(link, message);
      if (link.wasUseful() && link.hasReached(start)) this.#climbed();
    };
    link.onend = ({ why }) => {
      this.#candidate = null;
      link.stop();
      if (why === "bye") return this.#fail();
      this.#ladder.blame(link.name, why);
      this.#run(others.filter((name) => !win.refused.includes(name)), from);
    };
    link.start();
    if (this.#ladder.isTrusted(link.name)) this.#climbed();
  }

  #climbed() {
    const candidate = this.yield();
    if (candidate) this.onclimb(candidate);
  }

  #fail() {
    this.#race = null;
    if (this.#from) this.#ladder.confirm(this.#from);
    this.#delayMs = this.#delayMs < FIRST_MS ? FIRST_MS : Math.min(LIMIT_MS, this.#delayMs * 2);
    this.#schedule();
  }
}
