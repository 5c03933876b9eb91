/** nginx: with its defaults, as in the guide, and with settings that block live updates. */
import { documented, makeCertificate, startBox, write } from "../support/box.mjs";

/** `proxy_pass` alone: HTTP/1.0 to the program, no `Upgrade`. */
export const alone = (upstream) => start(upstream, site(""));

/** As in the guide. */
export const recommended = (upstream) =>
  start(upstream, ({ folder, port }) => asInGuide(upstream, folder, `listen 127.0.0.1:${port};`));

/** As in the guide, with TLS and HTTP/2 to the browser. */
export const overHttp2 = (upstream) =>
  start(upstream, http2Site(upstream), { scheme: "https" });

/** Compresses event streams too. */
export const compressing = (upstream) =>
  start(upstream, site("gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream application/json;"));

/** Passes WebSocket, and closes connections that are idle for 20 seconds. */
export const impatient = (upstream) =>
  start(upstream, site(`${UPGRADE} proxy_read_timeout 20s;`));

/** Ignores X-Accel-Buffering, so an event stream is buffered up to 32 KB. */
export const HOLDING = "proxy_ignore_headers X-Accel-Buffering; proxy_buffering on;";
export const holding = (upstream) => start(upstream, site(HOLDING));

/** Buffers streams, and closes every request without a response within 3 seconds. */
export const cutting = (upstream) => start(upstream, site(`${HOLDING} proxy_read_timeout 3s;`));

export const UPGRADE = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`;

const asInGuide = (upstream, folder, listen) =>
  documented("nginx.conf", {
    "listen 80;": listen,
    "127.0.0.1:3000": upstream,
    "/var/cache/nginx": folder,
  });

/** `proxy_pass` with settings, and others outside of the server. */
export const having = (settings, outside) => (upstream) => start(upstream, site(settings, outside));

/** With TLS and HTTP/2 to the browser, and `proxy_pass` alone. */
export const aloneOverHttp2 = (upstream) =>
  start(
    upstream,
    async ({ folder, port }) => {
      const { key, cert } = await makeCertificate(folder);
      const tls = `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${key};`;
      return `server { ${tls} location / { proxy_pass http://${upstream}; } }`;
    },
    { scheme: "https" },
  );

/** Refuses streams, so that only polling gets through. */
export const pollingOnly = (upstream) =>
  start(upstream, ({ port }) => `server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://${upstream}; }
    location /live/ws { return 403; }
    location /live/sse { return 403; }
  }`);

/** Caches everything for ten seconds, whatever the server says, and passes no stream on. */
export const caching = (key) => (upstream) =>
  start(upstream, ({ folder, port }) => `
    proxy_cache_path ${folder}/cache keys_zone=all:1m;
    server {
      listen 127.0.0.1:${port};
      proxy_read_timeout 3s;
      location / {
        proxy_pass http://${upstream};
        proxy_cache all;
        proxy_cache_key ${key};
        proxy_cache_valid 200 10s;
        proxy_ignore_headers Cache-Control Expires Vary X-Accel-Buffering;
      }
      location /live/sse { return 403; }
      location /api { proxy_pass http://${upstream}; }
    }`);

/** A minimal proxy, with additional settings. */
function site(settings, outside = "") {
  return ({ port, upstream }) => `
    ${outside}
    server { listen 127.0.0.1:${port}; location / { proxy_pass http://${upstream}; ${settings} } }`;
}

function http2Site(upstream) {
  return async ({ folder, port }) => {
    const { key, cert } = await makeCertificate(folder);
    const tls = `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${key};`;
    return asInGuide(upstream, folder, tls);
  };
}

/** @param {(place: import("../support/box.mjs").Place) => string | Promise<string>} siteFor  The part inside `http`. */
function start(upstream, siteFor, options) {
  return startBox(
    upstream,
    async (place) => {
      const { folder } = place;
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
      const main = `
        daemon off;
        user root;
        worker_processes 1;
        pid ${folder}/nginx.pid;
        events { worker_connections 2048; }
        http {
          access_log off;
          ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n")}
          ${await siteFor(place)}
        }`;
      const path = await write(folder, "nginx.conf", main);
      return ["/usr/sbin/nginx", "-e", "stderr", "-c", path];
    },
    options,
  );
}
