// @ts-check
/** Text on the page. */

/**
 * Sets a text only if it differs: setting it clears a selection and can trigger a screen reader.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
