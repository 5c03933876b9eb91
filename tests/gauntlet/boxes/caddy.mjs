/** Caddy. */
import { documented, startBox, write } from "../support/box.mjs";

/** As in the guide, without TLS. */
export const recommended = (upstream) => start(upstream, "http");

/** As in the guide, with TLS and HTTP/2, and a certificate that Caddy creates itself. */
export const overHttp2 = (upstream) => start(upstream, "https");

/** Compresses everything. */
export const compressing = (upstream) => start(upstream, "http", "encode gzip zstd");

function start(upstream, scheme, settings = "") {
  return startBox(
    upstream,
    async ({ folder, port }) => {
      const site = { "pets.example": `${scheme}://127.0.0.1:${port}`, "127.0.0.1:3000": upstream };
      const text = await documented("Caddyfile", site);
      await write(folder, "site", text.replace("{", `{\n${settings}`));
      // HTTP/3 and the redirects from port 80 would use other ports.
      const own = "admin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\nservers {\nprotocols h1 h2\n}";
      const path = await write(folder, "Caddyfile", `{\n${own}\n}\nimport site\n`);
      return ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", path];
    },
    { scheme },
  );
}
