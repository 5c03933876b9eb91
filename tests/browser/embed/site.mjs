/** The site of somebody else: a plain file server on its own port, with a content security policy. */
import { once } from "node:events";
import { createServer } from "node:http";
import { openTab } from "../support/browser.mjs";

/**
 * Serves files.
 * @param {import("node:test").TestContext} t
 * @param {object} options
 * @param {Record<string, string>} options.files  By path.
 * @param {string} options.policy
 */
export async function startSite(t, { files, policy }) {
  const server = createServer((request, response) => {
    const text = files[request.url];
    if (text === undefined) return response.writeHead(404).end();
    const type = request.url.endsWith(".js") ? "text/javascript" : "text/html";
    response.writeHead(200, { "content-type": `${type}; charset=utf-8`, "content-security-policy": policy }).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Returns a policy that allows scripts and connections of these servers only. Each page has its icon as data. */
function policyOf(servers) {
  const origins = servers.map((server) => new URL(server).origin);
  const sockets = origins.map((origin) => origin.replace("http", "ws"));
  return `default-src 'none'; img-src data:; script-src ${origins.join(" ")}; connect-src ${[...origins, ...sockets].join(" ")}`;
}

/** Returns a page that loads the client of these servers. @param {string[]} servers @param {string} body */
function pageOf(servers, body, head = "") {
  const scripts = servers.map((origin) => `<script type="module" src="${origin}/live/client.js"></script>`).join("");
  return `<!doctype html><html lang="en"><title>Site</title><link rel="icon" href="data:,">${head}${scripts}${body}</html>`;
}

/**
 * Opens the page of a site with this body.
 * @param {import("node:test").TestContext} t
 * @param {string[]} servers
 * @param {string} body
 */
export async function openSite(t, servers, body, { head = "", ...options } = {}) {
  const site = await startSite(t, { files: { "/": pageOf(servers, body, head) }, policy: policyOf(servers) });
  return openTab(t, site, options);
}
