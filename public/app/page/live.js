// @ts-check
/**
 * Starts the parts that all live pages share: the watch of their pets, the status line and the announcements.
 *
 * A message goes from `petstore/` (network and board) through `state/` (its meaning) to `view/` (the page), which draws once
 * per frame.
 */
import { statusNames } from "../../petstore/board/pet.js";
import { ConnectionSummary } from "../../petstore/connection-summary.js";
import { EventLoopMonitor } from "../../petstore/connection/event-loop-monitor.js";
import { parseTime } from "../../petstore/connection/server-clock.js";
import { PageLifecycle } from "../../petstore/page-lifecycle.js";
import { watchUnchecked } from "../../petstore/watch.js";
import { Announcements, StatusAnnouncements } from "../state/announcements.js";
import { ConnectionStatus } from "../state/connection-status.js";
import { DrawLag } from "../state/draw-lag.js";
import { Redraw } from "../view/redraw.js";
import { StatusLine } from "../view/status-line.js";
import { Title } from "../view/title.js";
import { siteAddress } from "./site.js";
/** @import { FirstPoll } from "../../petstore/connection/catch-up.js" */
/** @import { Board } from "../../petstore/board/board.js" */
/** @import { Clocks } from "./clocks.js" */

/** The newest module of public/app/on-demand, whatever the hash in its address. Relative to the script of the page. */
const ACTIVITIES = "../newest/activities.js";

/**
 * Starts the live parts of a page. The watch connects when the page is visible for the first time.
 * @param {object} options
 * @param {Clocks} options.clocks
 * @param {Board} options.board
 * @param {string[]} [options.pets]  Ids of the pets to watch; without one, all pets.
 * @param {string} options.chaos  The simulated network; "" for the real one.
 * @param {() => void} options.onleave
 */
export function startLive({ clocks, board, pets = [], chaos, onleave }) {
  const { clock, serverClock, tick } = clocks;
  const names = JSON.parse(document.body.dataset.activities ?? "{}");
  for (const word in names) statusNames.set(word, names[word]);
  const title = new Title(document);
  const line = new StatusLine({ document, title });
  const region = document.querySelector("#announcer");
  // Also set if it is the same text: the same thing has happened again.
  const announcements = new Announcements({ clock, say: (text) => region && (region.textContent = text) });
  const statusAnnouncements = new StatusAnnouncements(clock);
  const eventLoop = new EventLoopMonitor(clock);
  const drawLag = new DrawLag({ clock, eventLoop });
  const redraw = new Redraw({ requestFrame: (draw) => requestAnimationFrame(draw), drawLag });
  // A page without a network is an earlier one: see public/worker.
  const { asOf, seen } = document.body.dataset;
  const pageAsOf = parseTime(asOf ?? seen) ?? clock.now();
  const summary = new ConnectionSummary({ clock, serverClock, eventLoop, asOf: pageAsOf, isOffline: !!seen });
  const status = new ConnectionStatus({ summary, serverClock, drawLag });
  const drawStatus = () => {
    const current = status.current();
    line.draw(current);
    const text = statusAnnouncements.next(current);
    if (text) announcements.addStatus(text);
  };
  // The loader sends the first poll over the real network, so a simulated one does without it.
  const firstPoll = chaos ? undefined : /** @type {{ petStoreFirstPoll?: FirstPoll }} */ (globalThis).petStoreFirstPoll;
  const options = { site: siteAddress(), pets, since: board.cursor };
  const live = watchUnchecked(options, { clock, serverClock, eventLoop, summary, board, chaos, firstPoll });
  live.addEventListener("connection", drawStatus);
  let attempts = 0;
  let version = document.body.dataset.activitiesVersion;
  live.addEventListener("message", ({ detail: { activities = version } }) => {
    if (activities === version) return;
    version = activities;
    // A new address each time, because browsers keep a failure. The next heartbeat repeats one.
    const module = import(`${ACTIVITIES}?${attempts++}`);
    const drawn = module.then(({ update }) => update(statusNames)).catch(() => "");
    drawn.then((drawn) => ((version = drawn), redraw.schedule()));
  });
  tick.add(drawStatus);
  redraw.add(drawStatus);
  const handlers = {
    leave: () => (tick.stop(), announcements.stop(), onleave()),
    comeBack: () => (tick.start(), tick.now()),
    wake: () => tick.now(),
  };
  new PageLifecycle({ window, document, handlers }).start();
  // For public/app/on-demand/install-worker.js.
  /** @type {any} */ (globalThis).petStoreWatch = live;
  return { watch: live, status, announcements, title, redraw, drawStatus };
}
