/** Middleboxes that no configuration of a real one behaves like. */
import { startHttpRelay } from "../relays/http.mjs";
import { startLink } from "../relays/link.mjs";
import { startTcpRelay } from "../relays/tcp.mjs";
import * as filters from "../relays/filters.mjs";

/** @param {import("../relays/http.mjs").Rules} rules */
const http = (rules) => (upstream) => startHttpRelay(upstream, rules);
const tcp = (rules) => (upstream) => startTcpRelay(upstream, rules);

/** @param {import("../relays/link.mjs").Shape} shape */
export const link = (shape) => async (upstream) => {
  const { address, stop } = await startLink(upstream, shape);
  return { origin: `http://${address}`, address, stop };
};

const isStream = ({ headers }) => headers["content-type"]?.startsWith("text/event-stream");

export const lateHeads = http({ headDelayMs: 2_500 });

export const eatsFrames = http({ upgraded: () => [filters.nothing()] });

/** Closes each WebSocket after five seconds. */
export const killsWebSocket = http({
  upgraded(close) {
    setTimeout(close, 5_000);
    return [];
  },
});

/** As a virus scanner: passes each piece of a stream on with the next one. */
export const holdsBack = http({
  body: (response) => (isStream(response) ? [filters.untilTheNext()] : []),
  upgraded: () => [filters.untilTheNext()],
});

export const wrongType = http({
  answer: (request) => (request.headers.upgrade ? refused(403) : undefined),
  headers: (pairs) => pairs.map(([name, value]) => [name, value.startsWith("text/event-stream") ? "text/plain" : value]),
});

/** Those that a browser may combine. */
const ONCE = new Set(["content-length", "content-encoding", "location"]);
export const repeatsHeaders = http({
  headers: (pairs) => [...pairs, ...pairs.filter(([name]) => !ONCE.has(name.toLowerCase()))],
});

export const lowerCase = http({ headers: (pairs) => pairs.map(([name, value]) => [name.toLowerCase(), value]) });

/** Keeps only what a browser needs to read the body. */
export const stripsHeaders = http({
  headers: (pairs) => pairs.filter(([name]) => /^content-(type|length|encoding)$/i.test(name)),
});

export const closesIdle = http({ idleMs: 1_000 });

export const answersUpgrades = http({ answer: ({ headers }) => (headers.upgrade ? refused(200) : undefined) });

export const inPieces = tcp({ filter: () => filters.inPieces(3) });
export const collects = tcp({ filter: () => filters.collected(200) });
export const jittery = tcp({ filter: () => filters.jittery(150) });

const refused = (status) => ({ status, headers: { "Content-Type": "text/html" }, body: "<h1>Not here</h1>" });
