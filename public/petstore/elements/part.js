// @ts-check
/** Creates elements of a shadow tree that pages can style with `::part()`. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name
 */
export function createPart(tag, name) {
  const element = document.createElement(tag);
  element.part.add(name);
  return element;
}
