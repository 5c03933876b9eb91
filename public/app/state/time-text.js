// @ts-check
/** Times and durations as the page writes them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Formats a time of day in the local time zone: "14:05". @param {number} ms  Milliseconds since 1970. */
export function clockText(ms) {
  const date = new Date(ms);
  const pad = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** Within this time, a weekday is unambiguous. */
const SIX_DAYS_MS = 6 * DAY_MS;

/**
 * Formats a time with its day, unless it is today: "14:05", "Tue 14:05", "3 Nov 14:05" if the weekday would be ambiguous,
 * "3 Nov 2025 14:05" if the year would be.
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
 * Formats a duration in the largest unit that fits: "12 min".
 * @param {number} ms  Negative if a clock is wrong; counts as 0.
 */
export function durationText(ms) {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)} d`;
  if (ms >= HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  if (ms >= MINUTE_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  return "just now";
}

/** Formats how long ago something happened, to the second within the first minute: "3 s ago". @param {number} ms */
export function agoText(ms) {
  const seconds = Math.floor(ms / SECOND_MS);
  if (seconds < 1) return "just now";
  return seconds < 60 ? `${seconds} s ago` : `${durationText(ms)} ago`;
}

/** Formats a measured duration: "12 ms", "1.5 s", "65 s". @param {number} ms */
export function spanText(ms) {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / SECOND_MS;
  return `${seconds < 9.95 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
}

/**
 * Returns the time at which `momentText` or `durationText` of a past time changes next.
 * @param {number} since
 * @param {number} now
 */
export function nextChangeOf(since, now) {
  const ageMs = Math.max(0, now - since);
  const unitMs = ageMs >= DAY_MS ? DAY_MS : ageMs >= HOUR_MS ? HOUR_MS : MINUTE_MS;
  const midnight = new Date(now).setHours(24, 0, 0, 0);
  return Math.min(midnight, since + (Math.floor(ageMs / unitMs) + 1) * unitMs);
}
