/** HAProxy. */
import { readFile } from "node:fs/promises";
import { documented, makeCertificate, startBox, write } from "../support/box.mjs";

/** Mode http with the usual timeouts. */
export const alone = (upstream) => start(upstream, plain(""));

/** Mode http with settings, and with options of the server. */
export const having = (settings, options) => (upstream) => start(upstream, plain(settings, options));

/** Refuses WebSocket, and compresses everything it can. */
export const compressing = (upstream) =>
  start(
    upstream,
    plain(`
  http-request deny if { hdr(upgrade) -i websocket }
  filter compression
  compression algo gzip
  compression type text/event-stream application/json`),
  );

/** As in the guide. */
export const recommended = (upstream) => start(upstream, guide(({ port }) => `bind 127.0.0.1:${port}`));

/** As in the guide, with TLS and HTTP/2 to the browser, also for WebSocket (RFC 8441). */
export const overHttp2 = (upstream) =>
  start(
    upstream,
    guide(async ({ folder, port }) => {
      const { key, cert } = await makeCertificate(folder);
      const both = (await readFile(key, "utf8")) + (await readFile(cert, "utf8"));
      return `bind 127.0.0.1:${port} ssl crt ${await write(folder, "both.pem", both)} alpn h2,http/1.1`;
    }),
    { scheme: "https" },
  );

function plain(settings, options = "") {
  return ({ port, upstream }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s

listen pets
  bind 127.0.0.1:${port}
  ${settings}
  server pet-store ${upstream} ${options}
`;
}

/** @param {(place: import("../support/box.mjs").Place) => string | Promise<string>} bind */
function guide(bind) {
  return async (place) =>
    documented("haproxy.cfg", { "bind :80": await bind(place), "127.0.0.1:3000": place.upstream });
}

function start(upstream, configFor, options) {
  return startBox(
    upstream,
    async (place) => ["/usr/sbin/haproxy", "-db", "-f", await write(place.folder, "haproxy.cfg", await configFor(place))],
    options,
  );
}
