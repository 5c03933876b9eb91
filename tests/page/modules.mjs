// Loads the page's `.js` files as modules. Node does so by itself from 20.19 on; Debian 12 has Node 18.
// The module that a page imports from its server is read from the sources.

import { register } from "node:module";

const follower = new URL("../../public/petstore/transports/follow.js", import.meta.url).href;
const hooks = `export async function load(url, context, next) {
  const isPage = /\\/public\\/.*\\.js$/.test(url);
  return next(url, isPage ? { ...context, format: "module" } : context);
}
export async function resolve(specifier, context, next) {
  return next(/\\/live\\/follow\\.js\\?\\d+$/.test(specifier) ? ${JSON.stringify(follower)} : specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
