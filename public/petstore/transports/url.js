// @ts-check
/** URLs of the live routes. */

/** @import { HeartbeatInterval } from "../connection/heartbeat-interval.js" */

/**
 * The subject of a subscription: a server and its pets.
 * @typedef {object} Watch
 * @property {string} site  Address of the server without a slash at its end, e.g. `https://rescue.example`.
 * @property {string[]} pets  Ids to watch; empty means every pet.
 * @property {string} [chaos]  The network fault to simulate, in the demo.
 */

/**
 * @param {Watch} watch
 * @param {string} path
 * @param {string} since  Cursor; if it is "", the server answers with a snapshot.
 * @param {Record<string, string | number>} [params]
 */
export function liveUrl(watch, path, since, params = {}) {
  const url = new URL(watch.site + path);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value));
  if (since) url.searchParams.set("since", since);
  if (watch.chaos) url.searchParams.set("chaos", watch.chaos);
  for (const pet of watch.pets) url.searchParams.append("pet", pet);
  return url.href;
}

/**
 * Returns a name for what holds of one server over one network: a page may watch several servers, and the network may be
 * simulated.
 * @param {string} prefix
 * @param {{ site: string, chaos?: string }} watch
 */
export function nameOfNetwork(prefix, { site, chaos }) {
  return `${prefix} ${site}${chaos ? ` ${chaos}` : ""}`;
}

/**
 * Returns the parameter that asks for a heartbeat; none asks for the server's default.
 * @param {HeartbeatInterval} [heartbeat]
 * @param {"currentMs" | "fixedMs"} [interval]
 * @returns {Record<string, number>}
 */
export function heartbeatParam(heartbeat, interval = "currentMs") {
  return heartbeat ? { heartbeat: heartbeat[interval] / 1000 } : {};
}

/** Returns the URL with a WebSocket scheme: older browsers do not accept `http` there. @param {string} url */
export function socketUrl(url) {
  return url.replace(/^http/, "ws");
}
