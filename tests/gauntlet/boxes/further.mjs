/** Further middleboxes: what else stands between a visitor and a server, each in a line. And slow ones. */
import * as apache from "./apache.mjs";
import * as caddy from "./caddy.mjs";
import * as haproxy from "./haproxy.mjs";
import * as nginx from "./nginx.mjs";
import * as privoxy from "./privoxy.mjs";
import * as relays from "./relays.mjs";

/** @typedef {import("../boxes.mjs").Box} Box */

const ANY = ["ws", "sse", "poll", "short"];
const LIVE_MS = 4_000;

/** Both streams get through, and either may be in use so soon. */
const streams = (what, start) => ({ what, start, transports: ["ws", "sse"], withinMs: LIVE_MS });
const sse = (what, start) => ({ what, start, transports: ["sse"], withinMs: LIVE_MS });
const polling = (what, start) => ({ what, start, transports: ["poll", "short"], withinMs: LIVE_MS });
const any = (what, start, withinMs = LIVE_MS) => ({ what, start, transports: ANY, withinMs });

/** @param {Record<string, Omit<Box, "id">>} table @returns {Box[]} */
const named = (table) => Object.entries(table).map(([id, box]) => ({ id, ...box }));

export const FURTHER = named({
  "nginx-connections": sse("nginx, 4 requests per visitor at a time", nginx.having("limit_conn each 4;", "limit_conn_zone $remote_addr zone=each:1m;")),
  "nginx-requests": any("nginx, 5 requests per second, bursts of 15", nginx.having("limit_req zone=each burst=15 nodelay;", "limit_req_zone $remote_addr zone=each:1m rate=5r/s;"), 8_000),
  "nginx-rate": streams("nginx, 1 MB/s for each response", nginx.having(`${nginx.UPGRADE} limit_rate 1m;`)),
  "nginx-all-gzip": sse("nginx, gzip on everything", nginx.having("gzip on; gzip_proxied any; gzip_min_length 0; gzip_types *;")),
  "nginx-h2-alone": sse("nginx, TLS and HTTP/2, `proxy_pass` alone", nginx.aloneOverHttp2),
  "nginx-small": any("nginx that buffers streams in 4 KB", nginx.having(`${nginx.HOLDING} proxy_buffer_size 4k; proxy_buffers 2 4k; proxy_busy_buffers_size 4k;`)),
  "apache-http10": sse("Apache that answers with HTTP/1.0", apache.having("SetEnv downgrade-1.0 1\nSetEnv force-response-1.0 1\nSetEnv nokeepalive 1")),
  "apache-flush": any("Apache, `flushwait` and large buffers", apache.having("ProxyIOBufferSize 65536\nSetOutputFilter BUFFER", "filter", "buffer")),
  "haproxy-close": streams("HAProxy, a connection for each response", haproxy.having("option httpclose")),
  "haproxy-strips": any("HAProxy that strips `Upgrade`", haproxy.having("http-request del-header Upgrade\n  http-request del-header Connection")),
  "haproxy-two": streams("HAProxy, two connections to the server", haproxy.having("timeout queue 5s", "maxconn 2")),
  "haproxy-idle": streams("HAProxy that closes what is idle for 5 s", haproxy.having("timeout client 5s\n  timeout server 5s\n  timeout tunnel 5s")),
  "caddy-encode": streams("Caddy, `encode gzip zstd`", caddy.compressing),
  "privoxy-http10": sse("Privoxy that downgrades to HTTP/1.0", privoxy.having("+limit-connect{443} +downgrade-http-version +prevent-compression")),
  "eats-frames": sse("WebSocket is accepted, and no message passes", relays.eatsFrames),
  "kills-ws": streams("each WebSocket is closed after 5 s", relays.killsWebSocket),
  "upgrade-200": sse("an upgrade is answered with a page", relays.answersUpgrades),
  "holds-back": any("each piece of a stream is held until the next one", relays.holdsBack),
  "wrong-type": polling("WebSocket refused, event streams named text", relays.wrongType),
  "repeats-headers": streams("each header twice", relays.repeatsHeaders),
  "lower-case": streams("headers in lower case", relays.lowerCase),
  "strips-headers": streams("no headers but those of the body", relays.stripsHeaders),
  "closes-idle": streams("idle connections are closed after a second", relays.closesIdle),
  pieces: streams("everything in pieces of 3 bytes", relays.inPieces),
  collects: streams("pieces of 200 ms are collected", relays.collects),
  jitter: streams("each piece up to 150 ms late", relays.jittery),
  "one-megabyte": streams("a link of 8 Mbit/s", relays.link({ bitsPerSecond: 8_000_000 })),
});

/** Networks on which a page takes long to load, with the time until it has to be live. */
export const SLOW = named({
  "late-heads": any("each response head 2.5 s late", relays.lateHeads, 10_000),
  "50kbit": any("a link of 50 kbit/s", relays.link({ bitsPerSecond: 50_000 }), 10_000),
  "600ms": any("600 ms each way", relays.link({ roundTripMs: 1_200 }), 6_000),
});
