// @ts-check
/** Starts the parts of every page with times: the clocks, the one timer, and the times. */
import { browserClock } from "../../petstore/clock.js";
import { ServerClock } from "../../petstore/connection/server-clock.js";
import { setLocalTime } from "../state/time-text.js";
import { InView } from "../view/in-view.js";
import { Tick } from "../view/tick.js";
import { Times } from "../view/times.js";

const HOUR_MS = 3_600_000;

/** Hours after which a status is old, unless the rescue has set others. As in `rescue.rs`. */
const STATUS_AGE_HOURS = 12;

/** Starts the times of the page. */
export function startClocks() {
  const { dataset } = document.body;
  setLocalTime(dataset);
  const oldMs = Number(dataset.statusAge ?? STATUS_AGE_HOURS) * HOUR_MS;
  const clock = browserClock;
  const serverClock = new ServerClock(clock);
  const tick = new Tick(clock);
  const inView = new InView(globalThis.IntersectionObserver);
  const times = new Times({ root: document, serverClock, tick, inView, oldMs });
  serverClock.sync(dataset.asOf);
  tick.start();
  times.start();
  return { clock, serverClock, tick, inView, times };
}

/** @typedef {ReturnType<typeof startClocks>} Clocks */
