/** The cells of the comparison: networks, pages, and who is compared. */
import { direct } from "../boxes.mjs";
import * as nginx from "../boxes/nginx.mjs";
import * as squid from "../boxes/squid.mjs";

/**
 * @typedef {object} Network
 * @property {string} id
 * @property {string} what  For the report.
 * @property {import("../boxes.mjs").Box["start"]} start  The box.
 * @property {import("../relays/link.mjs").Shape} [shape]  Of the network between browser and box.
 * @property {number} calmMs  The time that pet-store may take on a calm machine.
 */

const [NEAR, FAR, FARTHEST] = [
  { shape: undefined, calmMs: 320, roundTripMs: 0 },
  { shape: { roundTripMs: 150, bitsPerSecond: 1_600_000 }, calmMs: 1_050, roundTripMs: 150 },
  { shape: { roundTripMs: 400, bitsPerSecond: 400_000 }, calmMs: 2_400, roundTripMs: 400 },
];

const over = ({ shape, calmMs }, what, start) => ({ what, start, shape, calmMs });
/** If only polling gets through, one round trip more is allowed. */
const polling = ({ shape, calmMs, roundTripMs }, what) => ({ what, start: nginx.holding, shape, calmMs: calmMs + roundTripMs });

/** @type {Record<string, Omit<Network, "id">>} */
const TABLE = {
  direct: over(NEAR, "no delay, direct", direct),
  h2: over(NEAR, "no delay, TLS and HTTP/2 (nginx)", nginx.overHttp2),
  "no-ws": over(NEAR, "no delay, WebSocket refused (Squid)", squid.strict),
  polling: polling(NEAR, "no delay, polling only"),
  "150ms": over(FAR, "150 ms, 1.6 Mbit/s, direct", direct),
  "150ms-polling": polling(FAR, "150 ms, 1.6 Mbit/s, polling only"),
  "400ms": over(FARTHEST, "400 ms, 400 kbit/s, direct", direct),
  "400ms-polling": polling(FARTHEST, "400 ms, 400 kbit/s, polling only"),
};

/** @type {Network[]} */
export const NETWORKS = Object.entries(TABLE).map(([id, network]) => ({ id, ...network }));

/** The pages and their paths. */
export const PAGES = { index: "/pets", show: "/pets/1" };

/** Who is compared, with the heading of the report. */
export const RIVALS = {
  "pet-store": "pet-store",
  "same-page": "Socket.IO on the same page",
  "bare-page": "Socket.IO on a bare page",
};

/** @typedef {keyof typeof PAGES} PageName */
/** @typedef {keyof typeof RIVALS} RivalName */

export const keyOfCell = (network, page, browser) => `first-live: ${network} ${page} ${browser}`;
