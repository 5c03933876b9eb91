// @ts-check
/**
 * The network doctor's entry: connects the examination (`live/`), what it means (`state/`), and its page (`view/`).
 */
import { browserClock } from "./live/clock.js";
import { Doctor } from "./live/doctor/network-doctor.js";
import { QUIET_MS } from "./live/doctor/idle-tests.js";
import { Lifecycle } from "./live/page-lifecycle.js";
import { reportText } from "./state/doctor/report.js";
import { examine } from "./state/doctor/results.js";
import { clockOffsetMs } from "./state/doctor/measurement.js";
import { ChaosSwitch } from "./view/chaos-select.js";
import { DoctorPage } from "./view/doctor-page.js";
import { Tick } from "./view/tick.js";

/** The first part waits for a heartbeat, and then goes there and back a few times. */
const FIRST_PART_MORE_MS = 3_000;

const clock = browserClock;
const chaos = new ChaosSwitch(document, window);
const facts = { origin: location.origin, heartbeatMs: Number(document.body.dataset.heartbeatMs) };

chaos.start();
examineNetwork();

function examineNetwork() {
  const since = document.body.dataset.cursor ?? "";
  const doctor = new Doctor({ browser: globalThis, clock, chaos: chaos.mode, since, ...facts });
  const page = new DoctorPage(document);
  const tick = new Tick(clock);
  /** @type {Map<import("./state/doctor/measurement.js").Way, import("./state/doctor/measurement.js").Measurement>} */
  const measurements = new Map();
  /** @type {Map<import("./state/doctor/measurement.js").Rung, import("./state/doctor/measurement.js").Quiet>} */
  const quiets = new Map();
  let startedAt = 0;
  let isRunning = false;
  /** @type {number | null} Since when the connections are left alone. */
  let quietFrom = null;
  let note = "";

  const draw = () => {
    const examination = examine({ measurements, quiets, isRunning }, facts);
    const offsetMs = clockOffsetMs(measurements.values());
    const aheadMs = offsetMs === null ? null : offsetMs + clock.elapsed() - clock.now();
    page.draw(examination, reportText(examination, { ...circumstances(), at: startedAt, aheadMs, note }));
  };
  const count = () => page.drawProgress(quietFrom === null ? null : clock.elapsed() - quietFrom, QUIET_MS);
  const say = (/** @type {string} */ words) => {
    note = words;
    page.drawNote(words, isRunning);
    draw();
  };
  const run = () => {
    measurements.clear();
    quiets.clear();
    startedAt = clock.now();
    isRunning = true;
    const seconds = Math.ceil((facts.heartbeatMs + FIRST_PART_MORE_MS) / 1000);
    const pretended = chaos.mode && `, on the pretended network "${chaos.mode}"`;
    say(`Trying every way at once${pretended}. This takes about ${seconds} s.`);
    tick.start();
    doctor.start();
  };
  const end = (/** @type {string} */ words) => {
    doctor.stop();
    tick.stop();
    isRunning = false;
    quietFrom = null;
    count();
    say(words);
  };

  doctor.onmeasured = (measurement) => {
    measurements.set(measurement.way, measurement);
    draw();
  };
  doctor.onquiet = () => {
    quietFrom = clock.elapsed();
    count();
    say("Now the connections are left alone for 65 s, to see which of them last. There is no need to wait for it.");
  };
  doctor.onleft = (quiet) => {
    quiets.set(quiet.way, quiet);
    draw();
  };
  doctor.onend = () => end("The test is complete.");
  tick.add(count);
  page.onrun = () => (isRunning ? end("Stopped.") : run());
  page.oncopy = (text) => navigator.clipboard.writeText(text);
  page.start();

  const stay = () => {};
  const leave = () => isRunning && end("Stopped, because the page was left.");
  const turns = { begin: run, leave, comeBack: stay, wake: stay, online: stay, offline: stay };
  new Lifecycle({ window, document, turns }).start();
}

/** What the report says of browser and page. */
function circumstances() {
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  return {
    origin: facts.origin,
    browser: navigator.userAgent,
    protocol: navigation?.nextHopProtocol ?? "",
    chaos: chaos.mode,
  };
}
