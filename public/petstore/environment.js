// @ts-check
/** The parts of the page that a watch uses: the browser's APIs, time and randomness. The only module that reads the globals. */
import { browserClock } from "./clock.js";
/** @import { Clock } from "./clock.js" */
/** @import { Browser } from "./open-connection.js" */

/**
 * The page, beside the network APIs. Not every browser has `navigator.connection`.
 * @typedef {EventTarget & {
 *   document: EventTarget & { visibilityState: string, prerendering?: boolean },
 *   navigator: { connection?: EventTarget },
 * }} Page
 */

/**
 * @typedef {object} Environment
 * @property {Browser & Page} browser
 * @property {Clock} clock
 * @property {() => number} random  Returns a number from 0 up to 1.
 */

/** @returns {Environment} */
export function pageEnvironment() {
  return { browser: /** @type {any} */ (globalThis), clock: browserClock, random: Math.random };
}
