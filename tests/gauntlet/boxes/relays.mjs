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

/** Drops some frames of the server. @param {() => (frame: { opcode: number, bytes: number }) => boolean} keeper */
export const dropsFrames = (keeper) => http({ upgraded: () => [filters.frames(keeper())] });

/** Passes 64 KB of each response, and of each WebSocket. */
export const cutsAt64KB = http({
  body: () => [filters.first(65_536, (stream) => setTimeout(() => stream.destroy(new Error("cut")), FLUSH_MS))],
  upgraded: (close) => [filters.first(65_536, () => setTimeout(close, FLUSH_MS))],
});

/** Time for the last bytes before a cut. */
const FLUSH_MS = 50;

/** Passes the first page, and answers everything else with a page of its own for ten seconds, as a captive portal. */
export const captive = (upstream) => {
  let untilMs;
  const answer = () => {
    const isFirst = untilMs === undefined;
    untilMs ??= performance.now() + 10_000;
    if (isFirst || performance.now() > untilMs) return undefined;
    return { status: 200, headers: { "Content-Type": "text/html" }, body: "<!DOCTYPE html><title>Free WiFi</title>Please sign in." };
  };
  return startHttpRelay(upstream, { answer });
};

/** Drops what a connection carries after ten seconds of silence. */
export const dropsIdle = tcp({ forgetAfterMs: 10_000 });

/** Counts the messages of streams. @param {() => void} count */
export const counts = (count) =>
  http({
    body: (response) => (isStream(response) ? [filters.eachText(/^data:/gm, count)] : []),
    upgraded: () => [filters.frames(({ opcode }) => (opcode < 8 && count(), true))],
  });

const refused = (status) => ({ status, headers: { "Content-Type": "text/html" }, body: "<h1>Not here</h1>" });
