// @ts-check
/** Text on the page. */

/**
 * Sets a text only where it differs, so that a selection survives and assistive technology is not stirred for nothing.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
