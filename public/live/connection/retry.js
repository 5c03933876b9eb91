// @ts-check
/**
 * What lies between the end of a link and the next race: what the end says about its rung, and how long to wait.
 */
import { Backoff, boundRetry } from "../../state/backoff.js";
import { ignore } from "../transports/transport.js";

/** @typedef {import("./link.js").Link} Link */

export class Retry {
  #clock;
  #health;
  #ladder;
  #backoff;
  #onretry;
  #isWaiting = false;
  #isOrdered = false;
  #cancel = ignore;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {() => number} parts.random  From 0 up to 1.
   * @param {Pick<import("./health-check.js").Health, "ask">} parts.health
   * @param {import("../../state/transport-preference.js").Ladder} parts.ladder
   * @param {() => void} parts.onretry  It is time.
   */
  constructor({ clock, random, health, ladder, onretry }) {
    this.#clock = clock;
    this.#health = health;
    this.#ladder = ladder;
    this.#backoff = new Backoff(random);
    this.#onretry = onretry;
  }

  /** Whether it waits, and not because the server said so. */
  get isOwn() {
    return this.#isWaiting && !this.#isOrdered;
  }

  /**
   * @param {Link} link
   * @param {import("./link.js").LinkEnding} ending
   */
  afterLink(link, { why, retryMs }) {
    if (link.wasUseful()) {
      this.#backoff.reset();
      this.#ladder.praise(link.name);
    } else if (why === "bye") {
      this.#ladder.excuse(link.name);
    } else {
      return this.#suspect(link.name, why);
    }
    this.after(retryMs);
  }

  /** @param {number} [retryMs]  Waited out as it is: the server has spread its viewers already. */
  after(retryMs) {
    const orderedMs = boundRetry(retryMs);
    this.#isWaiting = true;
    this.#isOrdered = orderedMs !== null;
    this.#cancel = this.#clock.after(orderedMs ?? this.#backoff.next(), this.#onretry);
  }

  /** The network is another: the next wait is short again. */
  reset() {
    this.#backoff.reset();
  }

  cancel() {
    this.#isWaiting = false;
    this.#cancel();
  }

  /**
   * A link won, and came to nothing. That is the rung's fault, unless it is the server's.
   * @param {import("../transports/transport.js").TransportName} name
   * @param {import("../transports/transport.js").Reason} why
   */
  #suspect(name, why) {
    this.#isWaiting = true;
    this.#isOrdered = false;
    this.#cancel = this.#health.ask((isUp) => {
      if (isUp) this.#ladder.blame(name, why);
      else this.#ladder.excuse(name);
      this.after();
    });
  }
}
