// @ts-check
/** The text of a status or a sex: "Eating" for "eating". */

/** @param {string | undefined} value  May be one that this client does not know. */
export function statusText(value = "") {
  return value.charAt(0).toUpperCase() + value.slice(1);
}
