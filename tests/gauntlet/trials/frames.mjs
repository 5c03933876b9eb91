/** Boxes that drop WebSocket frames: the page has to find the gap, and another transport. */
import { setTimeout as pause } from "node:timers/promises";
import * as relays from "../boxes/relays.mjs";
import { freePort } from "../support/ports.mjs";
import { transportOf } from "../support/recorder.mjs";
import { Scene } from "../support/scene.mjs";
import { slowness } from "../support/slowness.mjs";
import { PETS, startForVisitors } from "../support/subject.mjs";
import { above, outcomeOf } from "./outcome.mjs";

const LIVE_MS = 10_000;
const LIMIT_MS = 20_000;
const LEAVES_WITHIN_MS = 10_000;
const AFTERWARDS_MS = 4_000;
const OTHERS = ["sse", "poll", "short"];

/** Opcodes from 8 on are control frames. */
const isMessage = ({ opcode }) => opcode < 8;
const dropsOver1KB = relays.dropsFrames(() => (frame) => !isMessage(frame) || frame.bytes <= 1_024);
const dropsEveryTenth = relays.dropsFrames(() => {
  let count = 0;
  return (frame) => !isMessage(frame) || (count += 1) % 10 !== 0;
});

/** @type {import("./outcome.mjs").Trial[]} */
export const FRAMES = [
  {
    id: "frames-over-1k",
    what: "a box drops WebSocket frames over 1 KB",
    transports: OTHERS,
    withinMs: LIVE_MS,
    also: ({ leftMs, slowness }) => above(leftMs, LEAVES_WITHIN_MS * slowness, "ms until another transport"),
    run: (browser) => leaves(browser, dropsOver1KB, (subject, count) => subject.describe(1 + (count % PETS), `${count} `.padEnd(1_500, "x"))),
  },
  {
    id: "every-tenth-frame",
    what: "a box drops every tenth WebSocket frame",
    transports: OTHERS,
    withinMs: LIVE_MS,
    also: ({ leftMs, slowness }) => above(leftMs, LEAVES_WITHIN_MS * slowness, "ms until another transport"),
    run: (browser) => leaves(browser, dropsEveryTenth, async () => {}),
  },
  {
    id: "other-store",
    what: "the server comes back with another store, behind a box that drops WebSocket frames over 1 KB",
    transports: ["ws", ...OTHERS],
    withinMs: LIVE_MS,
    run: otherStore,
  },
];

/** Measures the time until the page leaves WebSocket, from the first strike. Strikes every half second. */
async function leaves(browser, start, strike) {
  const scene = await Scene.open({ start, browser });
  try {
    scene.feed.start();
    await scene.visit("/pets");
    const first = await scene.tab.recordingWhen(({ said }) => said.some(({ transport }) => transport === "ws"), LIVE_MS);
    const struckMs = await scene.tab.page.evaluate(() => performance.now());
    const usesWs = first.said.some(({ transport }) => transport === "ws");
    const isOther = ({ transport }) => OTHERS.includes(transport);
    let left = first.said.slice(-1).find(isOther);
    for (let count = 0; !left && count < LIMIT_MS / 500; count += 1) {
      await strike(scene.subject, count);
      await pause(500);
      const { said } = await scene.tab.recording();
      left = said.slice(first.said.length).find(isOther);
    }
    await pause(AFTERWARDS_MS);
    const leftMs = !usesWs ? 0 : left ? Math.max(0, left.atMs - struckMs) : null;
    return { ...(await outcomeOf(scene)), leftMs };
  } finally {
    await scene.close();
  }
}

/** Measures the time until the page shows the other store. Revs of two stores cannot be compared, so only the board counts. */
async function otherStore(browser) {
  const listen = `127.0.0.1:${await freePort()}`;
  const scene = await Scene.open({ start: dropsOver1KB, browser, subject: () => startForVisitors(PETS, { listen }) });
  let other;
  try {
    scene.feed.start();
    await scene.visit("/pets");
    await scene.tab.recordingWhen(({ said }) => said.at(-1)?.transport === "ws", LIVE_MS);
    await scene.feed.stop();
    await scene.subject.stop();
    other = await startForVisitors(PETS + 4, { listen });
    const startedMs = Date.now();
    const { statuses } = await other.board();
    const pets = Object.keys(statuses);
    const wrongOf = (recording) => pets.filter((pet) => recording.statuses[pet] !== statuses[pet]).map(Number);
    // A card that is out of view is drawn later, so the first one stands for the others until then.
    await scene.tab.recordingWhen((each) => !wrongOf(each).includes(1) && Object.keys(each.statuses).length >= pets.length, LIMIT_MS);
    const liveMs = Date.now() - startedMs;
    await scene.tab.scrollThrough();
    const recording = await scene.tab.recording();
    const wrong = wrongOf(recording);
    const transport = transportOf(recording);
    const said = recording.said.map(({ text }) => text);
    return { transport, said, liveMs, slowness: slowness(), delayMs: null, changes: pets.length, missed: [], repeated: [], wrong };
  } finally {
    await scene.close();
    await other?.stop();
  }
}
