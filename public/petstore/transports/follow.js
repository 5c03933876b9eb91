// @ts-check
/**
 * Follows the log of a full server: parts of it that everybody asks for at the same addresses, so that a cache can answer.
 *
 * `PollingTransport` imports this module when it needs it. Each answer has the address of the next one. When the server says
 * that it has room again, a message tells the page, at a random time within the next half minute, so that not all come at once.
 */
import { delay } from "../clock.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */

/** The time over which the pages spread their return. Doubles with each one, because the last may have been refused. */
const SPREAD_MS = 30_000;
const SPREAD_LIMIT_MS = 30 * 60_000;

/** A request that fails is repeated after a time between one and two of these: a server that restarts is back soon. */
const RETRY_MS = 1_000;
const ATTEMPTS = 3;

/**
 * @param {object} options
 * @param {string} options.site
 * @param {string} options.address  Of a part of the log.
 * @param {string} options.since  The cursor of the page, if it is another one than in the address.
 * @param {typeof fetch} options.fetch
 * @param {Clock} options.clock
 * @param {() => number} [options.random]  Returns a number from 0 up to 1.
 * @returns {(signal: AbortSignal) => Promise<Message[]>}  Returns the next messages; rejects if the server does not answer.
 */
export function follow({ site, address, since, fetch, clock, random = Math.random }) {
  let next = since ? address.replace(/since=[^&]*/, `since=${since}`) : address;
  let reached = since;
  let waitMs = 0;
  let spreadMs = SPREAD_MS;
  /** When to return to the streams. */
  let returnMs = Infinity;
  const longestMs = Number(/wait=(\d+)/.exec(address)?.[1]) * 1_000;
  // Otherwise those who follow would all notice in the same moment that the server is silent.
  const heartbeatMs = longestMs * (1 + random());

  return async (signal) => {
    await delay({ clock, signal }, waitMs);
    const answer = await ask(signal);
    const { cursor, activities, retry_ms: retryMs = 0 } = answer;
    /** @type {Message[]} */
    const messages = answer.messages;
    const changes = messages.filter(({ type }) => type !== "stale");
    const before = reached;
    waitMs = retryMs * (1 + random() / 4);
    next = answer.next;
    reached = cursor;
    const heartbeat = {
      type: "heartbeat",
      cursor,
      after: changes.at(-1)?.cursor ?? before,
      heartbeat_ms: heartbeatMs + waitMs,
      activities,
      room: isTimeToReturn(answer.room),
    };
    // A database that is unreachable stays so until something else than `stale` arrives.
    const isStale = messages.length > changes.length;
    return isStale && cursor === before ? messages : [...changes, heartbeat, ...messages.filter(({ type }) => type === "stale")];
  };

  /** @param {AbortSignal} signal @returns {Promise<any>} */
  async function ask(signal) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await fetch(site + next, { signal, credentials: "omit" });
        if (response.ok) return await response.json();
        throw new TypeError(`status ${response.status}`);
      } catch (error) {
        if (signal.aborted || attempt === ATTEMPTS) throw error;
        await delay({ clock, signal }, RETRY_MS * (1 + random()));
      }
    }
  }

  /** @param {boolean} [hasRoom] */
  function isTimeToReturn(hasRoom) {
    if (!hasRoom) returnMs = Infinity;
    else if (returnMs === Infinity) returnMs = clock.elapsed() + random() * spreadMs;
    if (clock.elapsed() < returnMs) return false;
    spreadMs = Math.min(spreadMs * 2, SPREAD_LIMIT_MS);
    returnMs = Infinity;
    return true;
  }
}
