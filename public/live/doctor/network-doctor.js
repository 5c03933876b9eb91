// @ts-check
/**
 * Examines the network between this browser and the server: every way at once, and then those that work for a good
 * minute in which they are left alone. It only measures; what that means is decided elsewhere.
 *
 * It watches a pet that does not exist, so that nothing but hello and heartbeats comes, each of which says when it
 * was sent. Whatever it opens is closed by `stop()`.
 */
import { probeEvents, probePoll, probeRequest, probeSocket, probeState } from "./probes.js";
import { leaveEventsAlone, leavePollAlone, leaveSocketAlone } from "./idle-tests.js";
import { ignore } from "../transports/transport.js";

/** @typedef {import("../../state/doctor/measurement.js").Measurement} Measurement */
/** @typedef {import("../../state/doctor/measurement.js").Quiet} Quiet */
/** @typedef {import("./probes.js").Lab} Lab */

/** The largest id there can be. Ids are given in order, from 1. */
const NOBODY = "18446744073709551615";

export class Doctor {
  /** @type {(measurement: Measurement) => void} */
  onmeasured = ignore;
  /** Every way was measured. Those that work are left alone now. */
  onquiet = ignore;
  /** @type {(quiet: Quiet) => void} */
  onleft = ignore;
  /** It ran to its end. */
  onend = ignore;
  #parts;
  /** @type {AbortController | null} While it runs. */
  #abort = null;

  /**
   * @param {object} parts
   * @param {Lab["browser"]} parts.browser
   * @param {import("../clock.js").Clock} parts.clock
   * @param {string} parts.origin
   * @param {string} parts.chaos  The bad network to ask the demo for; "" for none.
   * @param {string} parts.since  Cursor from which there is nothing to catch up with.
   * @param {number} parts.heartbeatMs
   */
  constructor({ browser, clock, origin, chaos, since, heartbeatMs }) {
    const { WebSocket, EventSource } = browser;
    // Called as a function of the window: browsers refuse a `fetch` that was torn off it.
    const fetch = (/** @type {any} */ url, /** @type {any} */ options) => browser.fetch(url, options);
    const watch = { origin, pets: [NOBODY], chaos };
    this.#parts = { browser: { WebSocket, EventSource, fetch }, clock, watch, since, heartbeatMs };
  }

  /** Runs to the end, or until it is stopped. */
  async start() {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    const lab = { ...this.#parts, signal: abort.signal };
    const measured = await this.#measure(lab);
    if (abort.signal.aborted) return;
    this.onquiet();
    await this.#leaveAlone(lab, measured);
    if (abort.signal.aborted) return;
    this.#abort = null;
    this.onend();
  }

  /** Closes whatever is open, without a further word. */
  stop() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** @param {Lab} lab */
  #measure(lab) {
    const probes = [probeRequest, probeSocket, probeEvents, probePoll, probeState];
    return Promise.all(
      probes.map(async (probe) => {
        const measurement = await probe(lab);
        if (!lab.signal.aborted) this.onmeasured(measurement);
        return measurement;
      }),
    );
  }

  /**
   * @param {Lab} lab
   * @param {Measurement[]} measured
   */
  #leaveAlone(lab, measured) {
    const tests = { ws: leaveSocketAlone, sse: leaveEventsAlone, poll: leavePollAlone };
    return Promise.all(
      measured.filter(isInOrder).map(async ({ way }) => {
        // An ordinary request and a short poll are never left open.
        const quiet = way === "http" || way === "short" ? null : await tests[way](lab);
        if (quiet && !lab.signal.aborted) this.onleft(quiet);
      }),
    );
  }
}

/** @param {Measurement} measurement  Whether it lasts long enough to be left alone. */
function isInOrder(measurement) {
  if ("answers" in measurement) return measurement.answers.every(({ isOurs }) => isOurs);
  return measurement.isKept && measurement.endedMs === null;
}
