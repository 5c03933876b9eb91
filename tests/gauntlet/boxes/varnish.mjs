/** Varnish. */
import { documented, startBox, write } from "../support/box.mjs";

/** With its built-in rules. */
export const alone = (upstream) => start(upstream, () => `vcl 4.1; backend default { ${backend(upstream)} }`);

/** As in the guide. */
export const recommended = (upstream) =>
  start(upstream, () =>
    documented("varnish.vcl", { '.host = "127.0.0.1"; .port = "3000";': backend(upstream) }),
  );

function backend(upstream) {
  const { hostname, port } = new URL(`http://${upstream}`);
  return `.host = "${hostname}"; .port = "${port}";`;
}

function start(upstream, rules) {
  return startBox(upstream, async ({ folder, port }) => {
    const path = await write(folder, "pets.vcl", await rules());
    const small = ["-s", "malloc,32m", "-p", "thread_pool_min=10"];
    return ["/usr/sbin/varnishd", "-F", "-j", "none", "-n", folder, "-a", `127.0.0.1:${port}`, "-f", path, ...small];
  });
}
