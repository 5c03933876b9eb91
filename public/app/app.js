// @ts-check
/**
 * The entry module of the client: builds the parts that the page needs and connects them.
 *
 * A message goes from `petstore/` (network and board) through `state/` (its meaning) to `view/` (the page). Every page is complete without
 * JavaScript; a page without live data only gets local times and drafts.
 */
import { browserClock } from "../petstore/clock.js";
import { Commands } from "./commands.js";
import { EventLoopMonitor } from "../petstore/connection/event-loop-monitor.js";
import { Echo } from "./echo.js";
import { openConnection } from "../petstore/open-connection.js";
import { PageLifecycle } from "../petstore/page-lifecycle.js";
import { Announcements, StatusAnnouncements } from "./state/announcements.js";
import { Board } from "../petstore/board/board.js";
import { ConnectionStatus } from "./state/connection-status.js";
import { Drafts } from "./state/drafts.js";
import { Pause } from "./state/pause.js";
import { Saves } from "./state/saves.js";
import { parseTime, ServerClock } from "../petstore/connection/server-clock.js";
import { Cards } from "./view/cards.js";
import { ChaosSelect } from "./view/chaos-select.js";
import { discardAtSignOut, DraftForm } from "./view/draft-form.js";
import { HelloPage } from "./view/hello-page.js";
import { Highlight } from "./view/highlight.js";
import { PauseButton } from "./view/pause-button.js";
import { StatusButtons } from "./view/status-buttons.js";
import { StatusLine } from "./view/status-line.js";
import { Tick } from "./view/tick.js";
import { Times } from "./view/times.js";
import { Title } from "./view/title.js";
/** @import { ConnectionState } from "../petstore/connection/handover.js" */
/** @import { Message } from "../petstore/protocol/message.js" */
/** @import { TransportName } from "../petstore/transports/transport.js" */
/** @import { Change } from "../petstore/board/pet.js" */

const clock = browserClock;
const page = document.body.dataset;
const serverClock = new ServerClock(clock);
const eventLoop = new EventLoopMonitor(clock);
const tick = new Tick(clock);
const title = new Title(document);
const times = new Times({ root: document, serverClock, tick });
const chaos = new ChaosSelect(document, window);
const { origin } = location;
const commands = new Commands({ fetch: (...args) => fetch(...args), origin, clock });

serverClock.sync(page.asOf);
tick.start();
times.start();
chaos.start();
if (page.page === "index" || page.page === "show") startPets();
else if (page.page === "hello") startHello();
else startDrafts();

/** The pages with pets: the server's HTML is the first state, and the stream continues from its cursor. */
function startPets() {
  const highlight = new Highlight(clock);
  const cards = new Cards({ document, times, highlight, title });
  const board = new Board(page.cursor ?? "", cards.read());
  const pause = new Pause(board);
  const saves = startStatusButtons(board);
  const onleave = () => (highlight.stop(), saves.stop());
  const live = createLive({ board, pets: page.pets ? [page.pets] : [], onleave });
  const draw = (/** @type {Change[]} */ changes) => {
    cards.draw(changes);
    live.announcements.add(changes);
  };

  live.connection.onmessage = (message) => {
    live.receive(message);
    const changes = board.apply(message);
    saves.receive(message);
    if (!changes) return;
    draw(pause.filter(changes));
    document.dispatchEvent(new CustomEvent("petstore:change", { detail: message }));
  };

  const button = new PauseButton(document);
  button.onpause = () => {
    pause.pause();
    saves.setPaused(true);
    times.stop();
    highlight.stop();
    live.status.pause();
    live.drawStatus();
  };
  button.onresume = () => {
    draw(pause.resume());
    saves.setPaused(false);
    times.start();
    live.status.resume();
    live.drawStatus();
  };
  button.start();
  live.lifecycle.start();
}

/** @param {Board} board */
function startStatusButtons(board) {
  const saves = new Saves({ clock, send: (pet, status, undo) => commands.setStatus(pet, status, undo), board });
  const buttons = new StatusButtons(document);
  saves.onchange = (pet, shown) => buttons.draw(pet, shown);
  buttons.onset = (pet, status) => saves.set(pet, status);
  buttons.onundo = (pet) => saves.undo(pet);
  buttons.start();
  return saves;
}

function startDrafts() {
  const drafts = new Drafts({ storage: () => localStorage, clock });
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const isReturnedTo = navigation?.type === "back_forward";
  const send = (/** @type {string} */ url, /** @type {URLSearchParams} */ body) => commands.sendForm(url, body);
  new DraftForm({ document, location, drafts, clock, send, isReturnedTo }).start();
  discardAtSignOut(document, drafts);
}

/** The hello page: the same connection without a board, and an echo. */
function startHello() {
  const hello = new HelloPage(document);
  const board = new Board("");
  const echo = new Echo({ WebSocket: globalThis.WebSocket, origin, clock });
  const live = createLive({ board, pets: [], onleave: () => echo.close() });
  /** @type {TransportName | null} */
  let transport = null;

  live.connection.onstate = (state) => {
    live.setConnection(state);
    transport = state.phase === "up" ? state.transport : null;
    hello.drawTransport(transport);
  };
  live.connection.onmessage = (message) => {
    live.receive(message);
    board.apply(message);
    if (message.type === "hello") hello.drawHello();
  };
  echo.onreply = (text) => hello.drawReply(text);
  echo.onfail = () => hello.drawFailure(transport);
  hello.onsend = (text) => echo.send(text);
  hello.start();
  live.lifecycle.start();
}

/**
 * Builds what the live pages have in common: the connection, its status line, the announcements and the page lifecycle. The
 * caller starts the lifecycle, which starts the connection when the page is visible for the first time.
 * @param {object} options
 * @param {Board} options.board
 * @param {string[]} options.pets
 * @param {() => void} options.onleave
 */
function createLive({ board, pets, onleave }) {
  const line = new StatusLine({ document, title });
  const region = document.querySelector("#announcer");
  // Also set if it is the same text: the same thing has happened again.
  const announcements = new Announcements({ clock, say: (text) => region && (region.textContent = text) });
  const statusAnnouncements = new StatusAnnouncements(clock);
  const status = new ConnectionStatus({ clock, serverClock, eventLoop, asOf: parseTime(page.asOf) ?? clock.now() });
  const connection = openConnection({
    browser: globalThis,
    clock,
    serverClock,
    eventLoop,
    random: Math.random,
    watch: { origin, pets, chaos: chaos.mode },
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
  return { connection, lifecycle, status, announcements, setConnection, receive, drawStatus };
}
