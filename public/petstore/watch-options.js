// @ts-check
/** Checks the options of `watch`: each error says what is allowed. */
import { parseCursor } from "./protocol/cursor.js";

/** The server refuses more. */
export const MAX_PETS = 100;

/** As many digits as the largest id has. */
const PET_ID = /^[1-9][0-9]{0,18}$/;

/** @param {unknown} origin  A URL, of which only the origin is used. */
export function checkOrigin(origin) {
  let url;
  try {
    url = new URL(String(origin));
  } catch {
    // Reported below.
  }
  if (url && /^https?:$/.test(url.protocol)) return url.origin;
  throw new TypeError(`origin must be an http or https URL like "https://rescue.example", not ${quote(origin)}`);
}

/**
 * @param {unknown} pets
 * @returns {string[]} Each once; empty for every pet.
 */
export function checkPets(pets) {
  if (pets === undefined || pets === null) return [];
  if (typeof pets === "string" || !(Symbol.iterator in Object(pets))) {
    throw new TypeError(`pets must be a list of ids like [7, 12], not ${quote(pets)}`);
  }
  const ids = [.../** @type {Iterable<unknown>} */ (pets)].map((id) => {
    if (typeof id === "number" ? !Number.isSafeInteger(id) : typeof id !== "string") return refuse(id);
    return PET_ID.test(String(id)) ? String(id) : refuse(id);
  });
  if (ids.length === 0) throw new TypeError("pets must not be empty: leave it out to watch every pet");
  const distinct = [...new Set(ids)];
  if (distinct.length > MAX_PETS) {
    throw new TypeError(`pets can have up to ${MAX_PETS} ids, not ${distinct.length}: leave it out to watch every pet`);
  }
  return distinct;
}

/** @param {unknown} since  @returns {string} "" for a snapshot. */
export function checkSince(since) {
  if (since === undefined || since === null || since === "") return "";
  if (typeof since === "string" && parseCursor(since)) return since;
  throw new TypeError(`since must be a cursor like "9f2c41aa-1042", not ${quote(since)}`);
}

/** @param {unknown} signal @returns {AbortSignal | undefined} */
export function checkSignal(signal) {
  if (signal === undefined || signal === null) return undefined;
  if (signal instanceof AbortSignal) return signal;
  throw new TypeError(`signal must be an AbortSignal, not ${quote(signal)}`);
}

/** @param {unknown} id @returns {never} */
function refuse(id) {
  throw new TypeError(`the id of a pet is a whole number from 1 up, not ${quote(id)}`);
}

/** @param {unknown} value */
function quote(value) {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
