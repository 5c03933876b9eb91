// @ts-check
/**
 * Draws the rescue's own activities again, after an admin has edited them: names, icons and colours, and the places of one
 * that is new. A page imports this module when a message names a version of them that it does not have.
 *
 * Buttons that set a new activity come with the next page.
 */
import { siteAddress } from "../page/site.js";

/** @typedef {{ word: string, name: string, icon: string, colour: string, hidden: boolean }} Activity */

/** All open pages learn of an edit at the same moment. Their requests are spread over this time. */
const SPREAD_MS = 3_000;

/**
 * @param {Map<string, string>} names  The names of statuses, which later changes are drawn with.
 * @returns {Promise<string>} The version that is drawn now.
 */
export async function update(names) {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * SPREAD_MS));
  const answer = await fetch(`${siteAddress()}/api/v1/activities`);
  if (!answer.ok) throw new Error(String(answer.status));
  /** @type {{ version: string, activities: Activity[] }} */
  const { version, activities } = await answer.json();
  linkSheet(activities);
  for (const activity of activities) {
    names.set(activity.word, activity.name);
    if (!activity.hidden) addPlaces(activity);
    drawName(activity);
  }
  return version;
}

/** Replaces the stylesheet. Its address has everything that it depends on. @param {Activity[]} activities */
function linkSheet(activities) {
  const before = document.querySelectorAll('link[href*="/assets/activities/"]');
  const name = activities.map(({ word, icon, colour }) => `${word}.${icon}.${colour.slice(1)}`).join();
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = `${siteAddress()}/assets/activities/${name}.css`;
  sheet.addEventListener("load", () => before.forEach((link) => link.remove()));
  document.head.append(sheet);
}

/** Adds the activity where every status has a place: the summaries, and the form with a note. @param {Activity} activity */
function addPlaces({ word, name }) {
  addCopy(".find a[data-status]", word, (link) => {
    const address = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    address.searchParams.set("doing", word);
    link.setAttribute("href", address.pathname + address.search);
    link.removeAttribute("aria-current");
    /** @type {Element} */ (link.firstElementChild).textContent = "0";
  });
  addCopy(".lobby-counts [data-status]", word, (entry) => {
    entry.dataset.own = "";
    /** @type {HTMLElement} */ (entry.querySelector("[data-count]")).dataset.count = word;
  });
  for (const select of /** @type {NodeListOf<HTMLSelectElement>} */ (document.querySelectorAll('select[name="status"]'))) {
    if (![...select.options].some(({ value }) => value === word)) select.add(new Option(name, word));
  }
}

/**
 * Adds a copy of the last place, hidden until a pet has the status.
 * @param {string} places
 * @param {string} word
 * @param {(copy: HTMLElement) => void} change
 */
function addCopy(places, word, change) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(places)]);
  const last = all.at(-1);
  if (!last || all.some(({ dataset }) => dataset.status === word)) return;
  const copy = /** @type {HTMLElement} */ (last.cloneNode(true));
  copy.dataset.status = word;
  copy.hidden = true;
  change(copy);
  last.after(" ", copy);
}

/** Writes the name in each of its places. @param {Activity} activity */
function drawName({ word, name }) {
  const status = `[data-status="${word}"]`;
  const lower = name.toLowerCase();
  draw(`${status} [data-field="status"]`, (place) => place, name);
  draw(`${status} .lobby-count-text`, (place) => place, lower);
  // Behind the icon or the number.
  draw(`button[value="${word}"], option[value="${word}"]`, (choice) => choice.lastChild, name);
  draw(`.find a${status}`, (link) => link.lastChild, ` ${lower}`);
}

/** @param {string} places @param {(place: Element) => Node | null} textOf @param {string} text */
function draw(places, textOf, text) {
  const roots = [document, ...[...document.querySelectorAll("template")].map(({ content }) => content)];
  for (const place of roots.flatMap((root) => [...root.querySelectorAll(places)])) {
    const node = textOf(place);
    if (node && node.textContent !== text) node.textContent = text;
  }
}
