/** Apache httpd with mod_proxy. */
import { documented, startBox, write } from "../support/box.mjs";

/** mod_proxy_http alone. */
export const alone = (upstream) => start(upstream, site((to) => `ProxyPass / http://${to}/`));

/** mod_proxy_http with settings. */
export const having = (settings, ...modules) => (upstream) =>
  start(upstream, site((to) => `ProxyPass / http://${to}/\n${settings}`), modules);

/** As in the guide: mod_proxy_http with protocol upgrades. */
export const recommended = (upstream) =>
  start(upstream, ({ port }) =>
    documented("apache.conf", { "*:80": `127.0.0.1:${port}`, "127.0.0.1:3000": upstream }),
  );

/** As before 2.4.47: another module handles WebSocket requests. */
export const tunnelling = (upstream) =>
  start(
    upstream,
    site((to) => `
      RewriteEngine on
      RewriteCond %{HTTP:Upgrade} websocket [NC]
      RewriteRule ^/(.*) ws://${to}/$1 [P,L]
      ProxyPass / http://${to}/`),
    ["proxy_wstunnel", "rewrite"],
  );

/** Compresses event streams too. */
export const compressing = (upstream) =>
  start(
    upstream,
    site((to) => `ProxyPass / http://${to}/\nSetOutputFilter DEFLATE`),
    ["filter", "deflate"],
  );

function site(body) {
  return ({ port, upstream }) => `<VirtualHost 127.0.0.1:${port}>\n${body(upstream)}\n</VirtualHost>`;
}

function start(upstream, siteFor, modules = []) {
  return startBox(upstream, async (place) => {
    const { folder, port } = place;
    const loaded = ["mpm_event", "authz_core", "env", "proxy", "proxy_http", ...modules];
    const main = `
      ServerRoot ${folder}
      ServerName 127.0.0.1
      PidFile ${folder}/apache.pid
      DefaultRuntimeDir ${folder}
      ErrorLog ${folder}/error.log
      ${loaded.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
      User www-data
      Group www-data
      Listen 127.0.0.1:${port}
      ${await siteFor(place)}`;
    const path = await write(folder, "apache2.conf", main);
    return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", path];
  });
}
