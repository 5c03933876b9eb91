// @ts-check
/** The link to the page of a pet. */
/** @import { Pet } from "../board/pet.js" */

/** @param {HTMLAnchorElement} link @param {string} origin @param {Pet} pet */
export function setLink(link, origin, { id, name = "" }) {
  link.setAttribute("part", "name");
  link.href = `${origin}/pets/${id}`;
  if (link.textContent !== name) link.textContent = name;
}
