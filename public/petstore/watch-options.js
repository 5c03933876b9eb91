// @ts-check
/** Checks the options of `watch`: each error says what is allowed. */
import { parseCursor } from "./protocol/cursor.js";

/** The server refuses more. */
export const MAX_PETS = 100;

/** As many digits as the largest id has. */
const PET_ID = /^[1-9][0-9]{0,18}$/;

/**
 * @param {unknown} site  A URL, of which the origin and the path are used.
 * @returns {string} Without a slash at its end.
 */
export function checkSite(site) {
  let url;
  try {
    url = new URL(String(site));
  } catch {
    // Reported below.
  }
  return url && /^https?:$/.test(url.protocol) ? url.origin + url.pathname.replace(/\/+$/, "") : refuse('origin must be a URL like "https://rescue.example"', site);
}

/**
 * @param {any} pets
 * @returns {string[]} Each once; empty for every pet.
 */
export function checkPets(pets) {
  if (pets === undefined) return [];
  if (typeof pets === "string" || !pets?.[Symbol.iterator]) refuse("pets must be a list of ids like [7, 12]", pets);
  const ids = new Set([...pets].map((id) => (PET_ID.test(id) ? String(id) : refuse("the id of a pet is a whole number from 1 up", id))));
  if (ids.size < 1 || ids.size > MAX_PETS) refuse(`leave pets out to watch every pet, or list 1 to ${MAX_PETS} ids`, ids.size);
  return [...ids];
}

/** @param {unknown} since  @returns {string} "" for a snapshot. */
export function checkSince(since = "") {
  return since === "" || parseCursor(since) ? String(since) : refuse('since must be a cursor like "9f2c41aa-1042"', since);
}

/** @param {string} rule @param {unknown} given @returns {never} */
function refuse(rule, given) {
  throw new TypeError(`${rule}, not ${JSON.stringify(given)}`);
}
