// uWebSockets.js as its documentation shows it: every viewer subscribes to one topic.

import { createRequire } from "node:module";
import { makeChanges, settings } from "./changes.mjs";

// A build of uWebSockets.js 20.30 that is on npm, and runs with the C library of Debian 12.
const { App } = createRequire(import.meta.url)("@trufflesuite/uws-js-unofficial");

const asked = settings(process.argv);
const app = App();

app.ws("/ws", {
  idleTimeout: 0,
  maxBackpressure: 1024 * 1024,
  open: (socket) => socket.subscribe("board"),
});
app.any("/*", (response) => response.end("ready"));
app.listen("127.0.0.1", asked.port, (listening) => {
  if (!listening) process.exit(1);
});

makeChanges(asked, (change) => app.publish("board", JSON.stringify(change)));
