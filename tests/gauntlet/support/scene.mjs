/** The setup of a test: a subject with a feed of changes, a proxy in front of it, and a browser with one tab. */
import { settle, wrongCards } from "../results/ledger.mjs";
import { Browser } from "./browser.mjs";
import { petsInView } from "./recorder.mjs";
import { Feed } from "./feed.mjs";
import { PETS, SUBJECTS } from "./subject.mjs";

/** Time after the last change until a missing one counts as missed. */
const PATIENCE_MS = 30_000;

/**
 * What a page received, compared with what was committed.
 * @typedef {object} Account
 * @property {import("./recorder.mjs").Recording} recording
 * @property {number} changes  Committed since the page was rendered.
 * @property {number[]} missed
 * @property {number[]} repeated
 * @property {number[]} wrong  Pets that were shown with a wrong status in the end.
 */

export class Scene {
  /** @type {(() => Promise<void>)[]} Closes what was opened, in reverse order. */
  #endings = [];
  /** @type {import("./subject.mjs").Subject} */
  subject;
  /** @type {import("./box.mjs").Route} */
  route;
  /** @type {Browser} */
  browser;
  /** @type {import("./browser.mjs").Tab} */
  tab;
  /** @type {Feed} */
  feed;

  /**
   * @param {object} what
   * @param {import("../boxes.mjs").Box["start"]} what.start  The box.
   * @param {import("./browser.mjs").BrowserName} what.browser
   * @param {() => Promise<import("./subject.mjs").Subject>} [what.subject]  Starts it.
   * @param {import("./feed.mjs").Rate} [what.rate]  Of the changes.
   */
  static async open({ start, browser, subject = SUBJECTS["pet-store"], rate = {} }) {
    const scene = new Scene();
    try {
      await scene.#open(start, browser, subject, rate);
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  async #open(startBox, browserName, startSubject, rate) {
    this.subject = this.#keep(await startSubject(), (subject) => subject.stop());
    this.route = this.#keep(await startBox(this.subject.address), (route) => route.stop());
    this.browser = this.#keep(await Browser.open(browserName, this.route), (browser) => browser.close());
    this.tab = await this.browser.openTab();
    const feed = new Feed((pet, status) => this.subject.setStatus(pet, status), { pets: PETS, ...rate });
    this.feed = this.#keep(feed, async (feed) => feed.halt());
  }

  async close() {
    for (const end of this.#endings) await end();
  }

  #keep(thing, end) {
    this.#endings.unshift(() => end(thing));
    return thing;
  }

  /** Opens a page of the subject in the tab, through the proxy. */
  visit(path) {
    return this.tab.visit(this.route.origin + path);
  }

  /**
   * Stops the changes and returns the account.
   * @returns {Promise<Account>}
   */
  async account() {
    await this.feed.stop();
    return account(this.subject, this.tab);
  }
}

/** Time for a page to draw a change. */
const DRAW_MS = 500;

/**
 * Compares what a page received with the history, up to the last change that it received or should have received by now.
 * @param {import("./subject.mjs").Subject} subject
 * @param {import("./browser.mjs").Tab} tab
 * @param {{ isStill?: boolean }} [options]  `isStill`: no more changes are made. Else only cards that are in view, and did
 *   not change just now, can be compared.
 * @returns {Promise<Account>}
 */
export async function account(subject, tab, { isStill = true } = {}) {
  const { rev } = await subject.board();
  await tab.recordingWhen(({ seen }) => seen.at(-1)?.rev >= rev, PATIENCE_MS);
  if (isStill) await tab.scrollThrough();
  const inView = await tab.page.evaluate(petsInView);
  const recording = await tab.recording();
  const { fromRev, seen, statuses, nowMs } = recording;
  const last = Math.max(rev, seen.at(-1)?.rev ?? 0);
  const history = (await subject.history(fromRev)).filter((fact) => fact.rev <= last);
  const mayMerge = (await subject.metric("petstore_resyncs_total")) > 0;
  const books = settle({ fromRev, seen, history, mayMerge });
  const fresh = new Set(seen.filter(({ atMs }) => atMs > nowMs - DRAW_MS).map(({ pet }) => Number(pet)));
  const isDrawn = (pet) => isStill || (inView.includes(String(pet)) && !fresh.has(pet));
  return { recording, changes: history.length, ...books, wrong: wrongCards(statuses, history).filter(isDrawn) };
}
