/**
 * What a page saw, from its first script on: every change it was told of, and every word about its connection.
 *
 * It hears the event that the page gives to everybody, and otherwise looks where a visitor looks.
 */

/**
 * @typedef {object} Seen  One `petstore:change`.
 * @property {string} type  `status`, `pet`, `gone` or `snapshot`.
 * @property {number} rev
 * @property {number | null} pet
 * @property {number | null} sinceMs  When the server committed the newest of it, in ms since 1970.
 * @property {number} atMs  When the page heard it, in ms since the navigation began.
 */

/** @typedef {{ state: string, text: string, atMs: number }} Said  What the connection line began to say, and when. */

/**
 * @typedef {object} Recording
 * @property {number} originMs  When the navigation began, in ms since 1970.
 * @property {number} fromRev  The rev that the page was drawn at.
 * @property {Seen[]} seen
 * @property {Said[]} said
 * @property {Record<string, string>} statuses  The cards now, by pet.
 * @property {string[]} asked  The live routes that were asked for and have answered, in order.
 */

/** Runs in the page before its own scripts, and again in each document of the tab. */
export function record() {
  const seen = [];
  const said = [];
  globalThis.recorded = { seen, said };
  performance.setResourceTimingBufferSize(100_000);
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
    const { state } = line.dataset;
    // What comes after the dot is the age of the last message, which changes every second.
    const text = document.querySelector("#connection-text")?.textContent.split(" · ")[0].trim() ?? "";
    const last = said.at(-1);
    if (last?.state !== state || last.text !== text) said.push({ state, text, atMs: performance.now() });
  };
  const options = { subtree: true, childList: true, characterData: true, attributeFilter: ["data-state"] };
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
    ...globalThis.recorded,
    statuses: Object.fromEntries(cards.map(({ dataset }) => [dataset.pet, dataset.status])),
    asked: performance
      .getEntriesByType("resource")
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.startsWith("/live/")),
  };
}

/**
 * The transport that a page says it uses.
 * @param {Recording} recording
 * @returns {"ws" | "sse" | "poll" | "short" | "none"}
 */
export function transportOf({ said, asked }) {
  const { state, text } = said.at(-1) ?? { state: "none", text: "" };
  if (!["live", "polling", "delayed"].includes(state)) return "none";
  if (text.includes("WebSocket")) return "ws";
  if (text.includes("SSE")) return "sse";
  // Both kinds of polling are "asking every few seconds" to a visitor: the last question tells them apart.
  return asked.findLast((path) => path !== "/live/sse") === "/live/state" ? "short" : "poll";
}
