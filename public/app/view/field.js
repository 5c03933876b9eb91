// @ts-check
/**
 * A field of a pet on the page. A field that people read in other words than messages have has a kind, and the value itself
 * beside the text.
 */
import { statusText, wordText } from "../../petstore/board/pet.js";
import { dateText } from "../state/date-text.js";
import { setText } from "./text.js";

/** Returns the value as messages have it. @param {HTMLElement} place */
export function readField(place) {
  const text = place.textContent ?? "";
  if (place.dataset.value !== undefined) return place.dataset.value;
  return place.dataset.field === "status" ? text.toLowerCase() : text;
}

/** @param {HTMLElement} place @param {string} value */
export function drawField(place, value) {
  const { field, kind } = place.dataset;
  if (kind !== undefined) place.dataset.value = value;
  setText(place, field === "status" ? statusText(value) : shownText(kind, value));
}

/** @param {string | undefined} kind @param {string} value */
function shownText(kind, value) {
  if (kind === "choice") return wordText(value);
  if (kind === "words") return value.split(",").map(wordText).join(", ");
  if (kind === "date" || kind === "rough-date") return dateText(value);
  return value;
}
