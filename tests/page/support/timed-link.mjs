/** A connection on one transport, in which every message says when it was sent. */
import { HEARTBEAT_MS, NAMES, START, startConnection } from "./connection.mjs";
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { Options } from "./connection.mjs" */

/**
 * @param {TransportName} name
 * @param {Options & { waitMs?: number }} [options]  `waitMs`: until hello.
 */
export function startOn(name, { waitMs = 0, ...options } = {}) {
  const parts = startConnection(options);
  const { clock, made, sent } = parts;
  clock.turn(waitMs);
  for (const other of NAMES) {
    if (other === name) break;
    made[other][0].fail();
  }
  const link = made[name][0];
  link.hello({ heartbeat_ms: HEARTBEAT_MS, server_time: sent() });
  const heartbeat = (agoMs = 0) => link.onmessage({ type: "heartbeat", cursor: START, server_time: sent(agoMs) });
  const status = (/** @type {number} */ rev, agoMs = 0) =>
    link.onmessage({ type: "status", cursor: `9f2c41aa-${rev}`, pet: 1, status: "eating", since: sent(agoMs) });
  const run = (/** @type {number} */ ms) => {
    for (let past = 0; past < ms; past += 1000) {
      parts.clock.turn(1000);
      heartbeat();
    }
  };
  const isLeaving = () => Object.values(made).flat().filter(({ isOpen }) => isOpen).length > 1;
  return { ...parts, link, heartbeat, status, run, isLeaving };
}
