/** A page's connection with transports, clock, server and memory that tests control. */
import { Connection } from "../../../public/petstore/connection/connection.js";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";
import { HeartbeatInterval } from "../../../public/petstore/connection/heartbeat-interval.js";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { fakeCatchUp, FakeClock, fakeHealth, fakeMemory, fakeTransports, last, settle } from "./fakes.mjs";
/** @import { ConnectionState } from "../../../public/petstore/connection/handover.js" */
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { FakeTransport } from "./fakes.mjs" */

/** @typedef {ReturnType<typeof buildConnection>} Parts */

/** @type {TransportName[]} */
export const NAMES = ["ws", "sse", "poll", "short"];

/** The page's cursor at the start. */
export const START = "9f2c41aa-1";

export const HEARTBEAT_MS = 15_000;

/**
 * @typedef {object} Options
 * @property {() => number} [random]
 * @property {TransportName | null} [remembered]  The transport of an earlier page.
 * @property {TransportName} [broken]  A transport that fails while it is opened.
 */

/** Builds a connection that is not started. @param {Options} [options] */
export function buildConnection({ random = () => 0.5, remembered = null, broken } = {}) {
  const clock = new FakeClock();
  const { made, transports } = fakeTransports(broken);
  const health = fakeHealth(clock);
  const catchUp = fakeCatchUp();
  const memory = fakeMemory(remembered);
  const serverClock = new ServerClock(clock);
  const eventLoop = new EventLoopMonitor(clock);
  const page = { cursor: START, savesData: false, isHidden: false };
  const heartbeat = new HeartbeatInterval({ clock, isHidden: () => page.isHidden });
  const since = () => page.cursor;
  const savesData = () => page.savesData;
  const shared = { clock, random, transports, since, serverClock, eventLoop, heartbeat, health, catchUp, memory, savesData };
  const connection = new Connection(shared);
  /** @type {ConnectionState[]} */
  const states = [];
  /** @type {Message[]} */
  const messages = [];
  connection.onstate = (state) => states.push(state);
  connection.onmessage = (message) => {
    messages.push(message);
    if (["status", "pet", "gone", "snapshot"].includes(message.type) && message.cursor) page.cursor = message.cursor;
  };
  /** Returns the server's time, which equals this machine's. */
  const sent = (agoMs = 0) => new Date(clock.now() - agoMs).toISOString();
  return {
    clock,
    connection,
    made,
    health,
    catchUp,
    memory,
    serverClock,
    eventLoop,
    heartbeat,
    page,
    states,
    messages,
    sent,
    phases: () => states.map(({ phase }) => phase),
    types: () => messages.map(({ type }) => type),
    /** The names of the transports that are open. */
    open: () => NAMES.filter((name) => made[name].some(({ isOpen }) => isOpen)),
    /** The transport that the page uses. */
    inUse: () => states.flatMap((state) => (state.phase === "up" ? [state.transport] : [])).at(-1),
  };
}

/** @param {Options} [options] */
export function startConnection(options) {
  const parts = buildConnection(options);
  parts.connection.start();
  return parts;
}

/** Fails the newest transport of each name, in the order in which they start. @param {Pick<Parts, "made" | "catchUp">} parts */
export async function failAll({ made, catchUp }) {
  last(catchUp.asked).fail();
  for (const name of NAMES) {
    await settle();
    last(made[name]).fail();
  }
}

/**
 * Lets time pass while a transport delivers heartbeats.
 * @param {FakeClock} clock
 * @param {FakeTransport} transport
 * @param {number} ms
 */
export function beat(clock, transport, ms, everyMs = 1_000) {
  for (let past = 0; past < ms; past += everyMs) {
    clock.turn(everyMs);
    transport.onmessage({ type: "heartbeat", cursor: START });
  }
}

/** Starts a page that polls, because the streams were refused. @param {Options} [options] */
export async function startOnPoll(options) {
  const parts = startConnection(options);
  parts.made.ws[0].fail();
  parts.made.sse[0].fail();
  parts.catchUp.asked[0].answer();
  await settle();
  return parts;
}

/**
 * Lets time pass while the page's polls are answered.
 * @param {Pick<Parts, "clock" | "made">} parts
 * @param {number} ms
 */
export function pollOn({ clock, made }, ms) {
  for (let past = 0; past < ms; past += 5_000) {
    clock.turn(Math.min(5_000, ms - past));
    const poll = last(made.poll);
    if (poll.isOpen) poll.onmessage({ type: "heartbeat", cursor: START });
  }
}
