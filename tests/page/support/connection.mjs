/** A page's connection on transports, clock, server and memory that do what a test says. */
import { FakeClock, fakeHealth, fakeMemory, fakeTransports } from "./fakes.mjs";
import { Connection } from "../../../public/live/connection/connection.js";
import { EventLoop } from "../../../public/live/connection/event-loop-monitor.js";
import { ServerClock } from "../../../public/state/server-clock.js";

export const NAMES = ["ws", "sse", "poll", "short"];

/** The page's cursor at the start. */
export const START = "9f2c41aa-1";

export const HEARTBEAT_MS = 15_000;

/**
 * A connection that was not started.
 * @param {object} [options]
 * @param {() => number} [options.random]
 * @param {string | null} [options.remembered]  The rung of the page before.
 */
export function buildConnection({ random = () => 0.5, remembered = null } = {}) {
  const clock = new FakeClock();
  const { made, transports } = fakeTransports();
  const health = fakeHealth(clock);
  const memory = fakeMemory(remembered);
  const serverClock = new ServerClock(clock);
  const eventLoop = new EventLoop(clock);
  const page = { cursor: START, isFrugal: false };
  const since = () => page.cursor;
  const isFrugal = () => page.isFrugal;
  const connection = new Connection({
    clock,
    random,
    transports,
    since,
    serverClock,
    eventLoop,
    health,
    memory,
    isFrugal,
  });
  const states = [];
  const messages = [];
  connection.onstate = (state) => states.push(state);
  connection.onmessage = (message) => {
    messages.push(message);
    if (["status", "pet", "gone", "snapshot"].includes(message.type) && message.cursor) page.cursor = message.cursor;
  };
  /** The server's time as this machine's clock has it, less how long ago. */
  const sent = (agoMs = 0) => new Date(clock.now() - agoMs).toISOString();
  return {
    clock,
    connection,
    made,
    health,
    memory,
    serverClock,
    eventLoop,
    page,
    states,
    messages,
    sent,
    phases: () => states.map(({ phase }) => phase),
    types: () => messages.map(({ type }) => type),
    /** The transports that are open now, by name. */
    open: () => NAMES.filter((name) => made[name].some(({ isOpen }) => isOpen)),
    /** The one whose messages the page takes for its own. */
    rung: () => states.findLast(({ phase }) => phase === "up")?.transport,
  };
}

export function startConnection(options) {
  const parts = buildConnection(options);
  parts.connection.start();
  return parts;
}

/** Lets the newest of each be lost, in the order in which they start. */
export function failAll(made) {
  for (const name of NAMES) made[name].at(-1).fail();
}

/** Keeps a transport talking. */
export function beat(clock, transport, ms, everyMs = 1_000) {
  for (let past = 0; past < ms; past += everyMs) {
    clock.turn(everyMs);
    transport.onmessage({ type: "heartbeat", cursor: START });
  }
}

/** A page that is on polling, because what streams was refused. */
export function startOnPoll(options) {
  const parts = startConnection(options);
  parts.made.ws[0].fail();
  parts.made.sse[0].fail();
  parts.made.poll[0].hello();
  return parts;
}

/** Lets time pass while the page's polls are answered. */
export function pollOn({ clock, made }, ms) {
  for (let past = 0; past < ms; past += 5_000) {
    clock.turn(Math.min(5_000, ms - past));
    if (made.poll.at(-1).isOpen) made.poll.at(-1).onmessage({ type: "heartbeat", cursor: START });
  }
}
