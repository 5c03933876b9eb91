// Bun's own server: pub/sub over WebSocket (uWebSockets inside), and an event stream for each viewer.

import { makeChanges, settings } from "./changes.mjs";

const asked = settings(process.argv);
const streams = new Set();
const encoder = new TextEncoder();

function eventStream() {
  let mine;
  const body = new ReadableStream({
    start(controller) {
      mine = controller;
      streams.add(mine);
      controller.enqueue(encoder.encode(": hello\n\n"));
    },
    cancel() {
      streams.delete(mine);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: asked.port,
  idleTimeout: 0,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (pathname === "/ws") return server.upgrade(request) ? undefined : new Response("no", { status: 400 });
    return pathname === "/sse" ? eventStream() : new Response("ready");
  },
  websocket: {
    open: (socket) => socket.subscribe("board"),
    message() {},
  },
});

makeChanges(asked, (change) => {
  const json = JSON.stringify(change);
  server.publish("board", json);
  if (streams.size === 0) return;
  const event = encoder.encode(`id: ${change.cursor}\nevent: status\ndata: ${json}\n\n`);
  for (const stream of streams) stream.enqueue(event);
});
