// @ts-check
/** The script of the hello page: a connection without a board, and an echo. */
import { Board } from "../petstore/board/board.js";
import { startClocks } from "./page/clocks.js";
import { startLive } from "./page/live.js";
import { Echo } from "./server/echo.js";
import { ChaosSelect } from "./view/chaos-select.js";
import { HelloPage } from "./view/hello-page.js";
import { siteAddress } from "./page/site.js";
/** @import { ShownTransport } from "../petstore/transports/transport.js" */

const chaos = new ChaosSelect(document, window);
chaos.start();
startHello();

function startHello() {
  const clocks = startClocks();
  const hello = new HelloPage(document);
  const board = new Board("");
  const echo = new Echo({ WebSocket: globalThis.WebSocket, site: siteAddress(), clock: clocks.clock });
  const live = startLive({ clocks, board, chaos: chaos.mode, onleave: () => echo.close() });
  /** @type {ShownTransport | null} */
  let transport = null;

  live.watch.addEventListener("connection", ({ detail }) => {
    transport = detail.transport;
    hello.drawTransport(transport);
  });
  live.watch.addEventListener("message", ({ detail }) => detail.type === "hello" && hello.drawHello());
  echo.onreply = (text) => hello.drawReply(text);
  echo.onfail = () => hello.drawFailure(transport);
  hello.onsend = (text) => echo.send(text);
  hello.start();
}
