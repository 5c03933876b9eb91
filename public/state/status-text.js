// @ts-check
/** The words of a status and of a sex: "eating" is written "Eating". */

/**
 * @param {string | undefined} value  Also one that this client does not know yet.
 */
export function statusText(value = "") {
  return value.charAt(0).toUpperCase() + value.slice(1);
}
