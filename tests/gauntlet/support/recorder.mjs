/**
 * Records what a page receives and shows, from its first script on: every change, and every connection status.
 *
 * It listens to the public event of the page, and reads the rest from the elements that visitors see.
 */

/**
 * @typedef {object} Seen  One `petstore:change`.
 * @property {string} type  `status`, `pet`, `gone` or `snapshot`.
 * @property {number} rev
 * @property {number | null} pet
 * @property {number | null} sinceMs  When the server committed the newest of it, in ms since 1970.
 * @property {number} atMs  When the page received it, in ms since the navigation began.
 */

/**
 * A connection status that the page showed, and from when on.
 * @typedef {{ state: string, transport: string, text: string, atMs: number }} Said
 */

/**
 * @typedef {object} Recording
 * @property {number} originMs  When the navigation began, in ms since 1970.
 * @property {number} fromRev  The rev that the page was rendered at.
 * @property {Seen[]} seen
 * @property {Said[]} said
 * @property {number} nowMs  When it was read, in ms since the navigation began.
 * @property {Record<string, string>} statuses  The cards now, by pet.
 */

/** Runs in the page before its own scripts, and again in each document of the tab. */
export function record() {
  const seen = [];
  const said = [];
  globalThis.recorded = { seen, said };
  const rev = (cursor) => Number(cursor.slice(cursor.indexOf("-") + 1));

  document.addEventListener("petstore:change", (event) => {
    const { type, cursor, pet = null, since, pets = [] } = event.detail;
    const times = [since, ...pets.map((each) => each.since)].map((time) => Date.parse(time)).filter(Number.isFinite);
    const sinceMs = times.length > 0 ? Math.max(...times) : null;
    seen.push({ type, rev: rev(cursor), pet, sinceMs, atMs: performance.now() });
  });

  const look = () => {
    const line = document.querySelector("#connection");
    if (!line) return;
    const { state, transport = "" } = line.dataset;
    const text = document.querySelector("#connection-text")?.textContent.trim() ?? "";
    const last = said.at(-1);
    if (last?.state === state && last.transport === transport && last.text === text) return;
    said.push({ state, transport, text, atMs: performance.now() });
  };
  const attributeFilter = ["data-state", "data-transport"];
  const options = { subtree: true, childList: true, characterData: true, attributeFilter };
  new MutationObserver(look).observe(document, options);
}

/**
 * Runs in the page when its recording is asked for.
 * @returns {Recording}
 */
export function recording() {
  const { cursor = "-0" } = document.body.dataset;
  const cards = [...document.querySelectorAll("[data-pet][data-status]")];
  return {
    originMs: performance.timeOrigin,
    fromRev: Number(cursor.slice(cursor.indexOf("-") + 1)),
    nowMs: performance.now(),
    ...globalThis.recorded,
    statuses: Object.fromEntries(cards.map(({ dataset }) => [dataset.pet, dataset.status])),
  };
}

/**
 * Runs in the page. It forces a layout, which Firefox warns of while a page loads.
 * @returns {string[]} The pets whose cards are in view.
 */
export function petsInView() {
  const isInView = ({ top, bottom }) => bottom > 0 && top < innerHeight;
  const cards = [...document.querySelectorAll("[data-pet][data-status]")];
  return cards.filter((card) => isInView(card.getBoundingClientRect())).map(({ dataset }) => dataset.pet);
}

/**
 * Returns the transport that the page uses.
 * @param {Recording} recording
 * @returns {"ws" | "sse" | "poll" | "short" | "none"}
 */
export function transportOf({ said }) {
  return said.at(-1)?.transport || "none";
}
