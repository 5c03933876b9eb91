// @ts-check
/** The script of the hello page: a connection without a board, and an echo. */
import { Board } from "../petstore/board/board.js";
import { startFrame } from "./page/frame.js";
import { createLive } from "./page/live.js";
import { Echo } from "./server/echo.js";
import { ChaosSelect } from "./view/chaos-select.js";
import { HelloPage } from "./view/hello-page.js";
/** @import { TransportName } from "../petstore/transports/transport.js" */

const chaos = new ChaosSelect(document, window);
chaos.start();
startHello();

function startHello() {
  const frame = startFrame();
  const hello = new HelloPage(document);
  const board = new Board("");
  const echo = new Echo({ WebSocket: globalThis.WebSocket, origin: location.origin, clock: frame.clock });
  const live = createLive({ frame, board, pets: [], chaos: chaos.mode, onleave: () => echo.close() });
  /** @type {TransportName | null} */
  let transport = null;

  live.connection.onstate = (state) => {
    live.setConnection(state);
    transport = state.phase === "up" ? state.transport : null;
    hello.drawTransport(transport);
  };
  live.connection.onmessage = (message) => {
    live.receive(message);
    board.apply(message);
    if (message.type === "hello") hello.drawHello();
  };
  echo.onreply = (text) => hello.drawReply(text);
  echo.onfail = () => hello.drawFailure(transport);
  hello.onsend = (text) => echo.send(text);
  hello.start();
  live.lifecycle.start();
}
