/** Faults for a live page: when `strike` returns, the fault is over. */
import { setTimeout as pause } from "node:timers/promises";

/**
 * @typedef {object} Fault
 * @property {string} what  For the report.
 * @property {number} [withinMs]  If it needs more time than the others.
 * @property {(world: World) => Promise<void>} [strike]
 * @property {(...args: any[]) => void} [script]  Runs in the page before its own scripts, with `args`.
 * @property {unknown[]} [args]
 */

/**
 * @typedef {object} World
 * @property {import("./network.mjs").Network} network
 * @property {import("./server.mjs").Server} server
 * @property {import("../support/browser.mjs").Browser} browser
 */

const DAY_MS = 24 * 60 * 60 * 1000;

/** @type {Record<string, Fault>} */
export const FAULTS = {
  cut: {
    what: "cable out for 10 s, known to the visitor's machine",
    async strike({ network }) {
      await network.unplug();
      await pause(10_000);
      await network.plugIn();
    },
  },
  hole: {
    what: "everything lost for 30 s, known to nobody",
    async strike({ network }) {
      await network.swallow();
      await pause(30_000);
      await network.heal();
    },
  },
  loss: {
    what: "every fifth packet lost for 20 s, in each direction",
    async strike({ network }) {
      await network.lose(20);
      await pause(20_000);
      await network.heal();
    },
  },
  move: {
    what: "the visitor moves to another network",
    // The page gets an event in some browsers only.
    withinMs: 5_000,
    strike: ({ network }) => network.move(),
  },
  stopped: {
    what: "server stopped for 20 s (SIGSTOP)",
    async strike({ server }) {
      server.signal("SIGSTOP");
      await pause(20_000);
      server.signal("SIGCONT");
    },
  },
  killed: {
    what: "server killed (SIGKILL) and started again after 2 s",
    async strike({ server }) {
      await server.stop("SIGKILL");
      await pause(2_000);
      await server.start();
    },
  },
  asleep: {
    what: "the visitor's browser asleep for 30 s (SIGSTOP)",
    async strike({ browser }) {
      browser.signal("SIGSTOP");
      await pause(30_000);
      browser.signal("SIGCONT");
    },
  },
  ahead: { what: "the visitor's clock a day ahead", script: shiftClock, args: [DAY_MS] },
  behind: { what: "the visitor's clock a day behind", script: shiftClock, args: [-DAY_MS] },
};

/** Runs in the page: shifts its clock. */
function shiftClock(byMs) {
  const Right = Date;
  globalThis.Date = class extends Right {
    constructor(...args) {
      if (args.length === 0) super(Right.now() + byMs);
      else super(...args);
    }
    static now() {
      return Right.now() + byMs;
    }
  };
}
