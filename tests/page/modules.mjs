// Loads the page's `.js` files as modules. Node does so by itself from 20.19 on; Debian 12 has Node 18.

import { register } from "node:module";

const hook = `export async function load(url, context, next) {
  const isPage = /\\/public\\/.*\\.js$/.test(url);
  return next(url, isPage ? { ...context, format: "module" } : context);
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
