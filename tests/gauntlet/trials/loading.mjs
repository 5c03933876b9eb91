/** Boxes that damage files while a page loads, and a page that needs little. */
import { setTimeout as pause } from "node:timers/promises";
import * as relays from "../boxes/relays.mjs";
import { settle } from "../results/ledger.mjs";
import { Scene } from "../support/scene.mjs";
import { startForVisitors } from "../support/subject.mjs";
import { above, outcomeOf } from "./outcome.mjs";

const ANY = ["ws", "sse", "poll", "short"];
const PATIENCE_MS = 40_000;

/** Time for the style sheet, after the script: each is requested again at times of its own. */
const STYLED_MS = 10_000;

const MANY_PETS = 100;

/** The page shows the first of them, and has no card for the others. */
const PETS_OF_A_PAGE = 48;

/** @type {import("./outcome.mjs").Trial[]} */
export const LOADING = [
  {
    id: "captive",
    what: "a captive portal answers everything for 10 s after the page itself",
    transports: ANY,
    withinMs: 20_000,
    also: ({ isStyled }) => (isStyled ? [] : ["a style sheet is missing"]),
    run: throughPortal,
  },
  {
    id: "cut-64k",
    what: "a box cuts each response at 64 KB: 100 pets, 40 changes/s",
    transports: ANY,
    withinMs: 4_000,
    run: cutAgainAndAgain,
  },
  {
    id: "one-of-100",
    what: "a page of one pet while 100 pets change every second",
    transports: ANY,
    withinMs: 4_000,
    also: ({ messagesPerSecond }) => above(messagesPerSecond, 5, "messages per second"),
    run: onePet,
  },
];

async function throughPortal(browser) {
  const scene = await Scene.open({ start: relays.captive, browser });
  try {
    scene.feed.start();
    await scene.visit("/pets");
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
    const isStyled = await scene.tab.page.waitForFunction(isComplete, { polling: 200, timeout: STYLED_MS }).then(
      () => true,
      () => false,
    );
    return { ...(await outcomeOf(scene)), isStyled };
  } finally {
    await scene.close();
  }
}

/** Runs in the page. */
function isComplete() {
  return [...document.querySelectorAll('link[rel="stylesheet"]')].every((link) => link.sheet?.cssRules.length > 0);
}

async function cutAgainAndAgain(browser) {
  const rate = { pets: PETS_OF_A_PAGE, everyMs: 25 };
  const scene = await Scene.open({ start: relays.cutsAt64KB, browser, subject: () => startForVisitors(MANY_PETS), rate });
  try {
    scene.feed.start();
    await scene.visit("/pets");
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
    await pause(18_000);
    return await outcomeOf(scene);
  } finally {
    await scene.close();
  }
}

/** The simulator makes the changes. */
async function onePet(browser) {
  const measureMs = 6_000;
  const pet = 7;
  let messages = 0;
  const scene = await Scene.open({
    start: relays.counts(() => (messages += 1)),
    browser,
    subject: () => startForVisitors(MANY_PETS, { simulate: "1s" }),
  });
  try {
    await scene.visit(`/pets/${pet}`);
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
    const before = messages;
    await pause(measureMs);
    const messagesPerSecond = (messages - before) / (measureMs / 1_000);
    const outcome = await outcomeOf(scene);
    const { fromRev, seen } = outcome.recording;
    const lastRev = seen.at(-1)?.rev ?? 0;
    const history = (await scene.subject.history(fromRev)).filter((fact) => fact.pet === pet && fact.rev <= lastRev);
    const mine = seen.filter((each) => each.type === "snapshot" || Number(each.pet) === pet);
    return { ...outcome, ...settle({ fromRev, seen: mine, history, mayMerge: false }), wrong: [], messagesPerSecond };
  } finally {
    await scene.close();
  }
}
