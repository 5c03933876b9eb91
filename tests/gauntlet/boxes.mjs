/**
 * The middleboxes between browser and subject, with the expected transport and time limit of each.
 *
 * `withinMs` bounds the time from navigation to the first live change: 1.5 s if WebSocket or SSE gets through, 4 s if only
 * polling does.
 */
import * as apache from "./boxes/apache.mjs";
import * as caddy from "./boxes/caddy.mjs";
import * as haproxy from "./boxes/haproxy.mjs";
import * as nginx from "./boxes/nginx.mjs";
import * as privoxy from "./boxes/privoxy.mjs";
import * as squid from "./boxes/squid.mjs";
import * as varnish from "./boxes/varnish.mjs";

/**
 * @typedef {object} Box
 * @property {string} id
 * @property {string} what  For the report.
 * @property {string} [guide]  The configuration file of the guide, if it uses one.
 * @property {string[]} transports  One of these has to be in use in the end.
 * @property {number} withinMs
 * @property {(upstream: string) => Promise<import("./support/box.mjs").Route>} start  Takes host and port.
 */

const LIVE_MS = 1_500;
const POLLING_MS = 4_000;

/** No middlebox. */
export const direct = async (upstream) => ({ origin: `http://${upstream}`, stop: async () => {} });

/** Two middleboxes: the browser connects to `outer`. */
const chain = (outer, inner) => async (upstream) => {
  const second = await inner(upstream);
  try {
    const first = await outer(second.address);
    return { ...first, stop: async () => (await first.stop(), await second.stop()) };
  } catch (error) {
    await second.stop();
    throw error;
  }
};

const ws = (what, start, guide) => ({ what, start, guide, transports: ["ws"], withinMs: LIVE_MS });
const sse = (what, start) => ({ what, start, transports: ["sse"], withinMs: LIVE_MS });
const polling = (what, start) => ({ what, start, transports: ["poll", "short"], withinMs: POLLING_MS });

/** @type {Record<string, Omit<Box, "id">>} */
const TABLE = {
  direct: ws("nothing in between", direct),
  "nginx-guide": ws("nginx, as in the guide", nginx.recommended, "nginx.conf"),
  "nginx-h2": ws("nginx, as in the guide, TLS and HTTP/2", nginx.overHttp2, "nginx.conf"),
  "nginx-impatient": ws("nginx, `Upgrade` passed on, `proxy_read_timeout 20s`", nginx.impatient),
  "nginx-alone": sse("nginx, `proxy_pass` alone", nginx.alone),
  "nginx-gzip": sse("nginx, `proxy_pass`, gzip on event streams", nginx.compressing),
  "nginx-holding": polling("nginx that buffers event streams", nginx.holding),
  "nginx-cutting": polling("nginx that buffers, and ends what waits 3 s", nginx.cutting),
  "apache-guide": ws("Apache, as in the guide", apache.recommended, "apache.conf"),
  "apache-tunnel": ws("Apache, mod_proxy_wstunnel", apache.tunnelling),
  "apache-alone": sse("Apache, mod_proxy_http alone", apache.alone),
  "apache-deflate": sse("Apache, mod_proxy_http, mod_deflate on all", apache.compressing),
  "haproxy-guide": ws("HAProxy, as in the guide", haproxy.recommended, "haproxy.cfg"),
  "haproxy-h2": ws("HAProxy, as in the guide, TLS and HTTP/2", haproxy.overHttp2, "haproxy.cfg"),
  "haproxy-alone": ws("HAProxy, mode http alone", haproxy.alone),
  "haproxy-gzip": sse("HAProxy, WebSocket denied, compression of all", haproxy.compressing),
  "caddy-guide": ws("Caddy, as in the guide, without TLS", caddy.recommended, "Caddyfile"),
  "caddy-h2": ws("Caddy, as in the guide, TLS and HTTP/2", caddy.overHttp2, "Caddyfile"),
  "varnish-guide": ws("Varnish, as in the guide", varnish.recommended, "varnish.vcl"),
  "varnish-alone": sse("Varnish, built-in rules", varnish.alone),
  "haproxy-nginx": ws("HAProxy, then nginx, both as in the guide", chain(haproxy.recommended, nginx.recommended)),
  "varnish-nginx": sse("Varnish, then nginx, neither set up for it", chain(varnish.alone, nginx.alone)),
  "squid-open": ws("Squid as forward proxy, `CONNECT` to any port", squid.open),
  "squid-strict": sse("Squid as forward proxy, `CONNECT` to 443 only", squid.strict),
  "privoxy-strict": sse("Privoxy as forward proxy, `CONNECT` to 443 only", privoxy.strict),
  "privoxy-filter": polling("Privoxy that reads every text to its end first", privoxy.filtering),
};

/** @type {Box[]} */
export const BOXES = Object.entries(TABLE).map(([id, box]) => ({ id, ...box }));
