// @ts-check
/**
 * Tests the network between this browser and the server: all connection types at once, then those that work while they are
 * idle for a minute. It only measures; `state/doctor/` draws the conclusions.
 *
 * It watches a pet that does not exist, so it receives only hellos and heartbeats, which say when they were sent. `stop()`
 * closes everything that it opened.
 */
import { noop } from "../../petstore/transports/transport.js";
import { testIdlePoll, testIdleSse, testIdleWebSocket } from "./idle-tests.js";
import { probeHttp, probePoll, probeSse, probeShort, probeWebSocket } from "./probes.js";
/** @import { IdleResult, Measurement } from "./measurement.js" */
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { ProbeContext } from "./probes.js" */

/** The largest id. Ids are assigned in order, from 1. */
const NO_PET = "18446744073709551615";

export class NetworkDoctor {
  /** @type {(measurement: Measurement) => void} */
  onmeasurement = noop;
  /** Every connection type was measured. The idle tests begin. */
  onidle = noop;
  /** @type {(result: IdleResult) => void} */
  onidleresult = noop;
  /** The test is complete. */
  onend = noop;
  #context;
  /** @type {AbortController | null} Null while it does not run. */
  #abort = null;

  /**
   * @param {object} options
   * @param {ProbeContext["browser"]} options.browser
   * @param {Clock} options.clock
   * @param {string} options.site
   * @param {string} options.chaos  The simulated network; "" for none.
   * @param {string} options.since  A cursor with no changes after it.
   * @param {number} options.heartbeatMs
   */
  constructor({ browser, clock, site, chaos, since, heartbeatMs }) {
    const { WebSocket, EventSource } = browser;
    /** @type {typeof browser.fetch} Called as a method of the window: browsers refuse to call it otherwise. */
    const fetch = (url, options) => browser.fetch(url, options);
    const watch = { site, pets: [NO_PET], chaos };
    this.#context = { browser: { WebSocket, EventSource, fetch }, clock, watch, since, heartbeatMs };
  }

  /** Runs until it is complete or stopped. */
  async start() {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    const context = { ...this.#context, signal: abort.signal };
    const measurements = await this.#measure(context);
    if (abort.signal.aborted) return;
    this.onidle();
    await this.#testIdle(context, measurements);
    if (abort.signal.aborted) return;
    this.#abort = null;
    this.onend();
  }

  /** Closes everything that is open. No handler is called any more. */
  stop() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** @param {ProbeContext} context */
  #measure(context) {
    const probes = [probeHttp, probeWebSocket, probeSse, probePoll, probeShort];
    return Promise.all(
      probes.map(async (probe) => {
        const measurement = await probe(context);
        if (!context.signal.aborted) this.onmeasurement(measurement);
        return measurement;
      }),
    );
  }

  /** @param {ProbeContext} context @param {Measurement[]} measurements */
  #testIdle(context, measurements) {
    const tests = { ws: testIdleWebSocket, sse: testIdleSse, poll: testIdlePoll };
    return Promise.all(
      measurements.filter(isHealthy).map(async ({ probe }) => {
        // An ordinary request and a short poll are never idle.
        const result = probe === "http" || probe === "short" ? null : await tests[probe](context);
        if (result && !context.signal.aborted) this.onidleresult(result);
      }),
    );
  }
}

/** Returns true if the connection type lasts long enough for an idle test. @param {Measurement} measurement */
function isHealthy(measurement) {
  if ("requests" in measurement) return measurement.requests.every(({ isFromServer }) => isFromServer);
  return measurement.isSustained && measurement.endedMs === null;
}
