// @ts-check
/** Starts the parts of every page with times: the clocks, the one timer, and the times. */
import { browserClock } from "../../petstore/clock.js";
import { ServerClock } from "../../petstore/connection/server-clock.js";
import { setLocalTime } from "../state/time-text.js";
import { InView } from "../view/in-view.js";
import { Tick } from "../view/tick.js";
import { Times } from "../view/times.js";

/** Starts the times of the page. */
export function startClocks() {
  setLocalTime(document.body.dataset);
  const clock = browserClock;
  const serverClock = new ServerClock(clock);
  const tick = new Tick(clock);
  const inView = new InView(globalThis.IntersectionObserver);
  const times = new Times({ root: document, serverClock, tick, inView });
  serverClock.sync(document.body.dataset.asOf);
  tick.start();
  times.start();
  return { clock, serverClock, tick, inView, times };
}

/** @typedef {ReturnType<typeof startClocks>} Clocks */
