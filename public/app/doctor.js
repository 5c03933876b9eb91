// @ts-check
/** The entry module of the network doctor: connects the tests, their evaluation and the page. */
import { browserClock } from "../petstore/clock.js";
import { IDLE_MS } from "./doctor/idle-tests.js";
import { NetworkDoctor } from "./doctor/network-doctor.js";
import { PageLifecycle } from "../petstore/page-lifecycle.js";
import { clockOffsetMs } from "./doctor/measurement.js";
import { reportText } from "./doctor/report.js";
import { summarize } from "./doctor/results.js";
import { ChaosSelect } from "./view/chaos-select.js";
import { DoctorPage } from "./doctor/doctor-page.js";
import { Tick } from "./view/tick.js";
import { siteAddress } from "./page/site.js";
/** @import { IdleResult, Measurement, ProbeName } from "./doctor/measurement.js" */

/** Time for a few round trips, after the wait for a heartbeat. */
const ROUND_TRIPS_MS = 3_000;

const clock = browserClock;
const chaos = new ChaosSelect(document, window);
const heartbeatMs = Number(document.body.dataset.heartbeatMs);
const site = { url: siteAddress(), heartbeatMs };

chaos.start();
startDoctor();

function startDoctor() {
  const since = document.body.dataset.cursor ?? "";
  const doctor = new NetworkDoctor({ browser: globalThis, clock, chaos: chaos.mode, since, site: site.url, heartbeatMs });
  const page = new DoctorPage(document);
  const tick = new Tick(clock);
  /** @type {Map<ProbeName, Measurement>} */
  const measurements = new Map();
  /** @type {Map<ProbeName, IdleResult>} */
  const idleResults = new Map();
  let startedAt = 0;
  let isRunning = false;
  /** @type {number | null} Since when the connections are idle. */
  let idleSince = null;
  let note = "";

  const draw = () => {
    const results = summarize({ measurements, idleResults, isRunning }, site);
    const offsetMs = clockOffsetMs(measurements.values());
    const aheadMs = offsetMs === null ? null : offsetMs + clock.elapsed() - clock.now();
    page.draw(results, reportText(results, { ...conditions(), at: startedAt, aheadMs, note }));
  };
  const drawProgress = () => page.drawProgress(idleSince === null ? null : clock.elapsed() - idleSince, IDLE_MS);
  const showNote = (/** @type {string} */ text) => {
    note = text;
    page.drawNote(text, isRunning);
    draw();
  };
  const run = () => {
    measurements.clear();
    idleResults.clear();
    startedAt = clock.now();
    isRunning = true;
    const seconds = Math.ceil((heartbeatMs + ROUND_TRIPS_MS) / 1000);
    const simulated = chaos.mode && ` on the simulated network "${chaos.mode}"`;
    showNote(`Testing every connection type${simulated}. This takes about ${seconds} s.`);
    tick.start();
    doctor.start();
  };
  const end = (/** @type {string} */ text) => {
    doctor.stop();
    tick.stop();
    isRunning = false;
    idleSince = null;
    drawProgress();
    showNote(text);
  };

  doctor.onmeasurement = (measurement) => {
    measurements.set(measurement.probe, measurement);
    draw();
  };
  doctor.onidle = () => {
    idleSince = clock.elapsed();
    drawProgress();
    showNote("The connections now stay idle for 65 s, to see which of them survive. You don't have to wait for that.");
  };
  doctor.onidleresult = (result) => {
    idleResults.set(result.probe, result);
    draw();
  };
  doctor.onend = () => end("The test is complete.");
  tick.add(drawProgress);
  page.onrun = () => (isRunning ? end("Stopped.") : run());
  page.oncopy = (text) => navigator.clipboard.writeText(text);
  page.start();

  const noop = () => {};
  const leave = () => isRunning && end("Stopped because you left the page.");
  const handlers = { begin: run, leave, comeBack: noop, wake: noop, online: noop, offline: noop };
  new PageLifecycle({ window, document, handlers }).start();
}

/** Returns what the report says about the browser and the page. */
function conditions() {
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return {
    url: site.url,
    browser: navigator.userAgent,
    protocol: navigation?.nextHopProtocol ?? "",
    chaos: chaos.mode,
  };
}
