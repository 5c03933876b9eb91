/**
 * One cell of the comparison: pet-store and Socket.IO take turns on the same network and page, each visit with a fresh
 * profile and an empty cache, while each of them commits a change every 100 ms.
 */
import { Browser } from "../support/browser.mjs";
import { Feed } from "../support/feed.mjs";
import { slowness } from "../support/slowness.mjs";
import { startForVisitors, startSocketIo, startSocketIoOnSamePage } from "../support/subject.mjs";
import { overLink } from "../relays/link.mjs";
import { PAGES, RIVALS } from "./cells.mjs";

/** As many as the demo has. */
const PETS = 6;

/** Time limit for the first live change. */
const LIVE_LIMIT_MS = 30_000;

/**
 * One visit.
 * @typedef {object} Sample
 * @property {number | null} liveMs  From the start of the navigation to the first change after the page's own state.
 * @property {number | null} transferredBytes  Of the page and all that it loaded until then, as the browser counts.
 * @property {number} requests
 */

/**
 * @typedef {object} Comparison
 * @property {Partial<Record<import("./cells.mjs").RivalName, Sample[]>>} samples  In the order of the rounds.
 * @property {number} slowness  How busy the machine was at the end: see `slowness`.
 */

/**
 * @param {object} cell
 * @param {import("./cells.mjs").Network} cell.network
 * @param {import("./cells.mjs").PageName} cell.page
 * @param {import("../support/browser.mjs").BrowserName} cell.browser
 * @param {number} cell.rounds
 * @returns {Promise<Comparison>}
 */
export async function compare({ network, page, browser, rounds }) {
  const endings = [];
  const keep = (thing, end) => (endings.unshift(() => end(thing)), thing);
  try {
    // Keeps the program of the browser running between the visits.
    keep(await Browser.open(browser), (profile) => profile.close());
    /** @type {[import("./cells.mjs").RivalName, import("../support/box.mjs").Route][]} */
    const routes = [];
    for (const rival of rivalsOn(page)) {
      const subject = keep(await STARTS[rival](page === "index" ? PETS : 1), (subject) => subject.stop());
      const box = await network.start(subject.address);
      const route = keep(network.shape ? await overLink(box, network.shape) : box, (route) => route.stop());
      routes.push([rival, route]);
    }
    // Not counted: the first visit of a browser is slow.
    for (const [, route] of routes) await visit(browser, route, page);
    const samples = Object.fromEntries(routes.map(([rival]) => [rival, []]));
    for (let round = 0; round < rounds; round += 1) {
      const turns = [...routes.slice(round % routes.length), ...routes.slice(0, round % routes.length)];
      for (const [rival, route] of turns) samples[rival].push(await visit(browser, route, page));
    }
    return { samples, slowness: slowness() };
  } finally {
    for (const end of endings) await end();
  }
}

/** @param {import("./cells.mjs").PageName} page @returns {import("./cells.mjs").RivalName[]} */
export function rivalsOn(page) {
  const all = /** @type {import("./cells.mjs").RivalName[]} */ (Object.keys(RIVALS));
  return all.filter((rival) => page === "index" || rival !== "bare-page");
}

/** Starts each rival with a change every 100 ms; on the page of one pet, of that pet. */
const STARTS = {
  "pet-store": async (pets) => feed(await startForVisitors(pets), pets),
  "same-page": async (pets) => feed(await startSocketIoOnSamePage(pets), pets),
  "bare-page": async (pets) => feed(await startSocketIo(pets), pets),
};

/** Commits changes until the subject is stopped. */
function feed(subject, pets) {
  const changes = new Feed((pet, status) => subject.setStatus(pet, status), { pets });
  changes.start();
  const stop = async () => (await changes.stop(), await subject.stop());
  return { address: subject.address, stop };
}

/** @returns {Promise<Sample>} */
async function visit(browserName, route, page) {
  const browser = await Browser.open(browserName, route);
  try {
    const tab = await browser.openTab();
    await tab.visit(route.origin + PAGES[page]);
    const isLive = ({ seen, fromRev }) => seen.some(({ rev }) => rev > fromRev);
    const { seen, fromRev } = await tab.recordingWhen(isLive, LIVE_LIMIT_MS);
    const liveMs = seen.find(({ rev }) => rev > fromRev)?.atMs ?? null;
    return { liveMs, ...(await tab.page.evaluate(loaded)) };
  } finally {
    await browser.close();
  }
}

/** Runs in the page. */
function loaded() {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {
    requests: entries.length,
    transferredBytes: entries.reduce((sum, { transferSize = 0 }) => sum + transferSize, 0),
  };
}
