// @ts-check
/**
 * What the live pages have in common: the connection, its status line, the announcements and the page lifecycle.
 *
 * A message goes from `petstore/` (network and board) through `state/` (its meaning) to `view/` (the page).
 */
import { EventLoopMonitor } from "../../petstore/connection/event-loop-monitor.js";
import { parseTime } from "../../petstore/connection/server-clock.js";
import { openConnection } from "../../petstore/open-connection.js";
import { PageLifecycle } from "../../petstore/page-lifecycle.js";
import { Announcements, StatusAnnouncements } from "../state/announcements.js";
import { ConnectionStatus } from "../state/connection-status.js";
import { StatusLine } from "../view/status-line.js";
import { Title } from "../view/title.js";
/** @import { Board } from "../../petstore/board/board.js" */
/** @import { ConnectionState } from "../../petstore/connection/handover.js" */
/** @import { Message } from "../../petstore/protocol/message.js" */
/** @import { Frame } from "./frame.js" */

/**
 * The caller starts the lifecycle, which starts the connection when the page is visible for the first time.
 * @param {object} options
 * @param {Frame} options.frame
 * @param {Board} options.board
 * @param {string[]} options.pets  Ids of the pets to watch; none for all pets.
 * @param {string} options.chaos  The simulated network; "" for the real one.
 * @param {() => void} options.onleave
 */
export function createLive({ frame, board, pets, chaos, onleave }) {
  const { clock, serverClock, tick } = frame;
  const title = new Title(document);
  const line = new StatusLine({ document, title });
  const region = document.querySelector("#announcer");
  // Also set if it is the same text: the same thing has happened again.
  const announcements = new Announcements({ clock, say: (text) => region && (region.textContent = text) });
  const statusAnnouncements = new StatusAnnouncements(clock);
  const eventLoop = new EventLoopMonitor(clock);
  const asOf = parseTime(document.body.dataset.asOf) ?? clock.now();
  const status = new ConnectionStatus({ clock, serverClock, eventLoop, asOf });
  const connection = openConnection({
    browser: globalThis,
    clock,
    serverClock,
    eventLoop,
    random: Math.random,
    watch: { origin: location.origin, pets, chaos },
    since: () => board.cursor,
  });
  const drawStatus = () => {
    const current = status.current();
    line.draw(current);
    const text = statusAnnouncements.next(current);
    if (text) announcements.addStatus(text);
  };
  const setConnection = (/** @type {ConnectionState} */ state) => {
    status.setConnection(state);
    drawStatus();
  };
  const receive = (/** @type {Message} */ message) => {
    serverClock.sync(message.server_time);
    status.receive(message);
    drawStatus();
  };
  connection.onstate = setConnection;
  tick.add(drawStatus);
  const handlers = {
    begin: () => connection.start(),
    leave: () => (connection.stop(), tick.stop(), announcements.stop(), onleave()),
    comeBack: () => (tick.start(), tick.now(), connection.start()),
    wake: () => (connection.wake(), tick.now()),
    online: () => connection.online(),
    offline: () => (connection.offline(), status.disconnected()),
  };
  // Not in every browser, and so not in TypeScript's DOM types.
  const { connection: network } = /** @type {Navigator & { connection?: EventTarget }} */ (navigator);
  const lifecycle = new PageLifecycle({ window, document, network, handlers });
  return { connection, lifecycle, status, announcements, title, setConnection, receive, drawStatus };
}
