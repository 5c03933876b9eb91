/** Privoxy, as a proxy that browsers have to use. */
import { startBox, write } from "../rig/box.mjs";

/** `CONNECT` only to port 443. */
export const strict = (upstream) => start(upstream, "{+limit-connect{443}}\n/\n");

/** The same, and every text is read to its end by a filter before a byte of it goes on. */
export const filtering = (upstream) => start(upstream, "{+limit-connect{443} +filter{webbugs}}\n/\n");

async function start(upstream, actions) {
  const { address, stop } = await startBox(upstream, async ({ folder, port }) => {
    const config = `
confdir /etc/privoxy
logdir ${folder}
listen-address 127.0.0.1:${port}
actionsfile ${await write(folder, "gauntlet.action", actions)}
filterfile default.filter
socket-timeout 300
`;
    return ["/usr/sbin/privoxy", "--no-daemon", await write(folder, "config", config)];
  });
  return { origin: `http://${upstream}`, proxy: address, stop };
}
