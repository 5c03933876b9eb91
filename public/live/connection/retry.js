// @ts-check
/** Decides, after a link or a race ended, what that says about the transport and how long to wait before the next race. */
import { Backoff, boundRetry } from "../../state/backoff.js";
import { noop } from "../transports/transport.js";

export class Retry {
  #clock;
  #health;
  #preference;
  #backoff;
  #onretry;
  #isWaiting = false;
  /** The server set the delay. */
  #isServerDelay = false;
  #cancel = noop;

  /**
   * @param {object} options
   * @param {import("../clock.js").Clock} options.clock
   * @param {() => number} options.random  Returns a number from 0 up to 1.
   * @param {Pick<import("./health-check.js").HealthCheck, "check">} options.health
   * @param {import("../../state/transport-preference.js").TransportPreference} options.preference
   * @param {() => void} options.onretry  Starts the next race.
   */
  constructor({ clock, random, health, preference, onretry }) {
    this.#clock = clock;
    this.#health = health;
    this.#preference = preference;
    this.#backoff = new Backoff(random);
    this.#onretry = onretry;
  }

  /** Returns true while it waits for a delay that the client chose itself. */
  get isBackingOff() {
    return this.#isWaiting && !this.#isServerDelay;
  }

  /**
   * Schedules the next race after a link ended.
   * @param {import("./link.js").Link} link
   * @param {import("./link.js").LinkEnd} end
   */
  scheduleAfterLink(link, { why, retryMs }) {
    if (link.wasUseful()) {
      this.#backoff.reset();
      this.#preference.recordSuccess(link.name);
    } else if (why === "bye") {
      this.#preference.recordServerFailure(link.name);
    } else {
      return this.#checkHealth(link.name, why);
    }
    this.schedule(retryMs);
  }

  /**
   * Schedules the next race.
   * @param {number} [retryMs]  Used without jitter: the server spreads the delays over its viewers.
   */
  schedule(retryMs) {
    const serverMs = boundRetry(retryMs);
    this.#isWaiting = true;
    this.#isServerDelay = serverMs !== null;
    this.#cancel = this.#clock.after(serverMs ?? this.#backoff.next(), this.#onretry);
  }

  /** Makes the next delay short again: the network may have changed. */
  reset() {
    this.#backoff.reset();
  }

  cancel() {
    this.#isWaiting = false;
    this.#cancel();
  }

  /**
   * A link ended before it was useful. Only if the server is healthy, the transport is at fault.
   * @param {import("../transports/transport.js").TransportName} name
   * @param {import("../transports/transport.js").SwitchReason} why
   */
  #checkHealth(name, why) {
    this.#isWaiting = true;
    this.#isServerDelay = false;
    this.#cancel = this.#health.check((isUp) => {
      if (isUp) this.#preference.recordFailure(name, why);
      else this.#preference.recordServerFailure(name);
      this.schedule();
    });
  }
}
