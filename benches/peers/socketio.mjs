// Socket.IO with Express, as its documentation sets it up, with WebSocket alone: its best case.

import { createServer } from "node:http";
import express from "express";
import { Server } from "socket.io";
import { makeChanges, settings } from "./changes.mjs";

const asked = settings(process.argv);
const app = express();
app.get("/", (_request, response) => response.send("ready"));
const server = createServer(app);
const io = new Server(server, { transports: ["websocket"], serveClient: false });
makeChanges(asked, (change) => io.emit("m", change));
server.listen({ host: "127.0.0.1", port: asked.port, backlog: 4096 });
