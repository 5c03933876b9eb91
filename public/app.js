// @ts-check
/**
 * The client's entry: builds the parts for the page at hand and connects them.
 *
 * A message goes `live/` (network) → `state/` (what it means) → `view/` (what is drawn). Pages without live
 * data get local times and nothing else; every page is complete without any of this.
 */
import { browserClock } from "./live/clock.js";
import { Echo } from "./live/echo.js";
import { EventLoop } from "./live/connection/event-loop-monitor.js";
import { FormSender } from "./live/form-sender.js";
import { Lifecycle } from "./live/page-lifecycle.js";
import { openConnection } from "./live/open-connection.js";
import { StatusSetter } from "./live/set-status.js";
import { Announcements } from "./state/announcements.js";
import { Board } from "./state/board.js";
import { ConnectionNews } from "./state/connection-news.js";
import { Drafts } from "./state/drafts.js";
import { Freshness } from "./state/connection-status.js";
import { Pause } from "./state/pause.js";
import { Saves } from "./state/saves.js";
import { parseTime, ServerClock } from "./state/server-clock.js";
import { Announcer } from "./view/announcer.js";
import { Cards } from "./view/cards.js";
import { ChaosSwitch } from "./view/chaos-select.js";
import { ConnectionLine } from "./view/status-line.js";
import { DraftForm, discardAtSignOut } from "./view/draft-form.js";
import { Hello } from "./view/hello.js";
import { Highlight } from "./view/highlight.js";
import { OneTap } from "./view/status-buttons.js";
import { PauseButton } from "./view/pause-button.js";
import { Since } from "./view/times.js";
import { Tick } from "./view/tick.js";
import { Title } from "./view/title.js";

const clock = browserClock;
const page = document.body.dataset;
const serverClock = new ServerClock(clock);
const eventLoop = new EventLoop(clock);
const tick = new Tick(clock);
const title = new Title(document);
const since = new Since({ root: document, serverClock, tick });
const chaos = new ChaosSwitch(document, window);

serverClock.learn(page.asOf);
tick.start();
since.start();
chaos.start();
if (page.page === "index" || page.page === "show") watchPets();
else if (page.page === "hello") sayHello();
else keepDrafts();

/** The pages with pets: what the server drew is the first state, and the stream goes on from its cursor. */
function watchPets() {
  const highlight = new Highlight(clock);
  const cards = new Cards({ document, since, highlight, title });
  const board = new Board(page.cursor ?? "", cards.read());
  const pause = new Pause(board);
  const saves = letStaffTap(board);
  const onleave = () => (highlight.stop(), saves.stop());
  const live = goLive({ board, pets: page.pets ? [page.pets] : [], onleave });
  const draw = (/** @type {import("./state/difference.js").Change[]} */ changes) => {
    cards.draw(changes);
    live.announcements.add(changes);
  };

  live.connection.onmessage = (message) => {
    live.hear(message);
    const changes = board.apply(message);
    saves.hear(message);
    if (!changes) return;
    draw(pause.pass(changes));
    document.dispatchEvent(new CustomEvent("petstore:change", { detail: message }));
  };

  const button = new PauseButton(document);
  button.onpause = () => {
    pause.pause();
    saves.pause(true);
    since.stop();
    highlight.stop();
    live.freshness.pause();
    live.drawLine();
  };
  button.onresume = () => {
    draw(pause.resume());
    saves.pause(false);
    since.start();
    live.freshness.resume();
    live.drawLine();
  };
  button.start();
  live.lifecycle.start();
}

/**
 * The buttons of staff, where the page has any: a tap is saved without leaving the page.
 * @param {Board} board
 */
function letStaffTap(board) {
  const setter = new StatusSetter({ fetch: (...asked) => fetch(...asked), origin: location.origin, clock });
  const saves = new Saves({ clock, send: (pet, status, restored) => setter.set(pet, status, restored), board });
  const buttons = new OneTap(document);
  saves.onchange = (pet, shown) => buttons.draw(pet, shown);
  buttons.onset = (pet, status) => saves.set(pet, status);
  buttons.onundo = (pet) => saves.undo(pet);
  buttons.start();
  return saves;
}

/** The form of a pet: unsaved text is kept in this browser, and a lost connection leaves it in front of its author. */
function keepDrafts() {
  const drafts = new Drafts({ storage: () => localStorage, clock });
  const sender = new FormSender({ fetch: (...asked) => fetch(...asked), clock });
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const isReturnedTo = navigation?.type === "back_forward";
  const send = (/** @type {string} */ url, /** @type {URLSearchParams} */ body) => sender.send(url, body);
  new DraftForm({ document, location, drafts, clock, send, isReturnedTo }).start();
  discardAtSignOut(document, drafts);
}

/** The hello page: the same connection without a board, and an echo beside it. */
function sayHello() {
  const hello = new Hello(document);
  const board = new Board("");
  const echo = new Echo({ WebSocket: globalThis.WebSocket, origin: location.origin, clock });
  const live = goLive({ board, pets: [], onleave: () => echo.close() });
  /** @type {import("./live/transports/transport.js").TransportName | null} */
  let transport = null;

  live.connection.onstate = (state) => {
    live.follow(state);
    transport = state.phase === "up" ? state.transport : null;
    hello.drawTransport(transport);
  };
  live.connection.onmessage = (message) => {
    live.hear(message);
    board.apply(message);
    if (message.type === "hello") hello.drawHello();
  };
  echo.onanswer = (text) => hello.drawAnswer(text);
  echo.onfail = () => hello.drawNoEcho(transport);
  hello.onsay = (text) => echo.say(text);
  hello.start();
  live.lifecycle.start();
}

/**
 * What the live pages have in common: a connection, the line that says how it is, what is announced, and the turns of
 * the page's life. The lifecycle is yet to be started: it starts the connection when the page is first seen.
 * @param {object} parts
 * @param {Board} parts.board
 * @param {string[]} parts.pets
 * @param {() => void} parts.onleave
 */
function goLive({ board, pets, onleave }) {
  const line = new ConnectionLine({ document, title });
  const announcer = new Announcer(document);
  const announcements = new Announcements({ clock, say: (sentence) => announcer.say(sentence) });
  const news = new ConnectionNews(clock);
  const freshness = new Freshness({ clock, serverClock, eventLoop, asOf: parseTime(page.asOf) ?? clock.now() });
  const watch = { origin: location.origin, pets, chaos: chaos.mode };
  const connection = openConnection({
    browser: globalThis,
    clock,
    serverClock,
    eventLoop,
    random: Math.random,
    watch,
    since: () => board.cursor,
  });
  const drawLine = () => {
    const now = freshness.line();
    line.draw(now);
    const sentence = news.of(now);
    if (sentence) announcements.tell(sentence);
  };
  const follow = (/** @type {import("./live/connection/connection.js").ConnectionState} */ state) => {
    freshness.connection(state);
    drawLine();
  };
  const hear = (/** @type {import("./live/transports/message.js").Message} */ message) => {
    serverClock.learn(message.server_time);
    freshness.hear(message);
    drawLine();
  };
  connection.onstate = follow;
  tick.add(drawLine);
  const turns = {
    begin: () => connection.start(),
    leave: () => (connection.stop(), tick.stop(), announcements.stop(), onleave()),
    comeBack: () => (tick.start(), tick.now(), connection.start()),
    wake: () => (connection.wake(), tick.now()),
    online: () => connection.online(),
    offline: () => (connection.offline(), freshness.lose()),
  };
  const { connection: network } = /** @type {any} */ (navigator);
  const lifecycle = new Lifecycle({ window, document, network, turns });
  return { connection, lifecycle, freshness, announcements, follow, hear, drawLine };
}
