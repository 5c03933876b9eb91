// @ts-check
/** Times and durations as the page writes them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const QUARTER_MS = 15 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Writes a time as "2026-11-29 14:05:00", in the reader's time zone unless the rescue has set one. */
let format = wallClock();
let is12Hour = false;

/**
 * Sets the time zone and the clock of all times. A browser that does not know the time zone uses its own.
 * @param {object} local
 * @param {string} [local.timeZone]  IANA name.
 * @param {string} [local.clock]  "12" for 12 hours.
 */
export function setLocalTime({ timeZone, clock }) {
  is12Hour = clock === "12";
  try {
    format = wallClock(timeZone);
  } catch {
    // The reader's time zone stays.
  }
}

/** The locale of Sweden writes times in the order of ISO 8601. @param {string} [timeZone] */
function wallClock(timeZone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
}

/** Returns the date whose UTC fields are the local ones at `ms`. @param {number} ms  Milliseconds since 1970. */
const localDate = (ms) => new Date(`${format.format(ms).replace(" ", "T")}Z`);

/** Formats a time of day: "14:05" or "2:05 pm". @param {number} ms  Milliseconds since 1970. */
export function clockText(ms) {
  const text = format.format(ms).slice(11, 16);
  const hour = parseInt(text);
  return is12Hour ? `${hour % 12 || 12}${text.slice(2)} ${hour < 12 ? "am" : "pm"}` : text;
}

/** Within this time, a weekday is unambiguous. */
const SIX_DAYS_MS = 6 * DAY_MS;

/**
 * Formats a time with its day, unless it is today: "14:05", "yesterday 14:05", "Tue 14:05", "3 Nov 14:05" if the weekday would be ambiguous,
 * "3 Nov 2025 14:05" if the year would be.
 * @param {number} ms
 * @param {number} now
 */
export function momentText(ms, now) {
  // "Tue, 03 Nov 2025 14:05:00 GMT".
  const [weekday, day, month, year] = localDate(ms).toUTCString().split(/,? /);
  const local = localDate(now);
  const today = local.toUTCString();
  const date = `${day} ${month} ${year}`;
  if (today.includes(date)) return clockText(ms);
  if (new Date(local.getTime() - DAY_MS).toUTCString().includes(date)) return `yesterday ${clockText(ms)}`;
  if (ms < now && now - ms < SIX_DAYS_MS) return `${weekday} ${clockText(ms)}`;
  return `${Number(day)} ${month}${today.includes(` ${year} `) ? "" : ` ${year}`} ${clockText(ms)}`;
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
 * Returns the time by which `momentText` or `durationText` changes next: when another minute of the duration is over, or with the
 * next quarter of an hour. Midnight is at one in every time zone, also on a day with another number of hours.
 * @param {number} since
 * @param {number} now
 */
export function nextChangeOf(since, now) {
  return Math.min(now - (now % QUARTER_MS) + QUARTER_MS, now + MINUTE_MS - (Math.max(0, now - since) % MINUTE_MS));
}
