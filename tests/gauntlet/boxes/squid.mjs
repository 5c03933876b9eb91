/** Squid, as the forward proxy of an office or a school. */
import { startBox, write } from "../support/box.mjs";

/** Debian's defaults: `CONNECT`, which browsers use for WebSocket, to port 443 only. */
export const strict = (upstream) => start(upstream, "http_access deny CONNECT !SSL_ports");

/** `CONNECT` to every port. */
export const open = (upstream) => start(upstream, "");

async function start(upstream, rule) {
  const { address, stop } = await startBox(upstream, async ({ folder, port }) => {
    const config = `
http_port 127.0.0.1:${port}
acl SSL_ports port 443
acl CONNECT method CONNECT
${rule}
http_access allow all
cache deny all
access_log none
cache_log /dev/null
pid_filename ${folder}/squid.pid
coredump_dir ${folder}
pinger_enable off
shutdown_lifetime 0 seconds
`;
    return ["/usr/sbin/squid", "-N", "-f", await write(folder, "squid.conf", config)];
  });
  return { origin: `http://${upstream}`, proxy: address, stop };
}
