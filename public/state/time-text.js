// @ts-check
/** Times in the words of the page. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * A time of day where the reader is: "14:05".
 * @param {number} ms  Milliseconds since 1970.
 */
export function clockText(ms) {
  const date = new Date(ms);
  const pad = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** For this long, a day of the week names one day. */
const SIX_DAYS_MS = 6 * DAY_MS;

/**
 * The same, with the day where it is another one than today: "14:05", "Tue 14:05", "3 Nov 14:05" where the weekday
 * would be ambiguous, "3 Nov 2025 14:05".
 * @param {number} ms
 * @param {number} now
 */
export function momentText(ms, now) {
  const date = new Date(ms);
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) return clockText(ms);
  const word = (/** @type {Intl.DateTimeFormatOptions} */ part) => date.toLocaleDateString("en-US", part);
  if (ms < now && now - ms < SIX_DAYS_MS) return `${word({ weekday: "short" })} ${clockText(ms)}`;
  const isThisYear = date.getFullYear() === today.getFullYear();
  const month = word({ month: "short" });
  const year = isThisYear ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${month}${year} ${clockText(ms)}`;
}

/**
 * How long something has lasted: "12 min". In whole units, the largest that fits.
 * @param {number} ms  Below zero, which only a wrong clock makes, counts as nothing.
 */
export function durationText(ms) {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} d`;
  if (ms >= HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  if (ms >= MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  return "just now";
}

/**
 * How long ago something was heard, to the second while that means something: "3 s ago".
 * @param {number} ms
 */
export function heardText(ms) {
  const seconds = Math.floor(ms / SECOND_MS);
  if (seconds < 1) return "just now";
  return seconds < 60 ? `${seconds} s ago` : `${durationText(ms)} ago`;
}

/**
 * A measured time: "12 ms", "1.5 s", "65 s".
 * @param {number} ms
 */
export function spanText(ms) {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / SECOND_MS;
  return `${seconds < 9.95 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
}
