/** Privoxy, as a forward proxy. */
import { startBox, write } from "../support/box.mjs";

/** `CONNECT` to port 443 only. */
export const strict = (upstream) => start(upstream, "{+limit-connect{443}}\n/\n");

/** The same, with a filter that buffers every text to its end. */
export const filtering = (upstream) => start(upstream, "{+limit-connect{443} +filter{webbugs}}\n/\n");

/** With other actions. */
export const having = (actions) => (upstream) => start(upstream, `{${actions}}\n/\n`);

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
