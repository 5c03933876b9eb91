// @ts-check
/** The note of an element that is offline: when its data was true. */
import { createPart } from "./part.js";
/** @import { Summary } from "../connection-summary.js" */

export class AsOf {
  element = createPart("span", "as-of");

  /** @param {Summary} connection */
  draw({ state, asOf, silentMs }) {
    const isOld = state === "offline";
    this.element.textContent = isOld ? `as of ${timeText(new Date(asOf), new Date(asOf + silentMs))}` : "";
  }
}

/** Formats a time of day, and its day unless that is today. @param {Date} time @param {Date} now */
function timeText(time, now) {
  /** @type {Intl.DateTimeFormatOptions} */
  const day = time.toDateString() === now.toDateString() ? {} : { day: "numeric", month: "short" };
  return time.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
}
