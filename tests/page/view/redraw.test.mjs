/** Drawing once per frame, and how long changes wait for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";
import { DrawLag } from "../../../public/app/state/draw-lag.js";
import { Redraw } from "../../../public/app/view/redraw.js";
import { FakeClock } from "../support/fakes.mjs";

function openRedraw() {
  const clock = new FakeClock();
  const eventLoop = new EventLoopMonitor(clock);
  const drawLag = new DrawLag({ clock, eventLoop });
  /** @type {(() => void)[]} */
  const frames = [];
  const redraw = new Redraw({ requestFrame: (draw) => frames.push(draw), drawLag });
  let drawings = 0;
  redraw.add(() => (drawings += 1));
  /** Keeps the page busy for this long. @param {number} ms */
  const work = (ms) => {
    for (let past = 0; past < ms; past += 10) {
      eventLoop.probe();
      clock.block(10);
      clock.turn(0);
    }
  };
  const frame = () => {
    for (const draw of frames.splice(0)) draw();
  };
  return { clock, eventLoop, drawLag, redraw, frames, frame, work, drawings: () => drawings };
}

test("many changes within a frame lead to one drawing", () => {
  const { redraw, frames, frame, drawings } = openRedraw();
  for (let change = 0; change < 100; change += 1) redraw.schedule();
  assert.deepEqual([frames.length, drawings()], [1, 0]);
  frame();
  assert.equal(drawings(), 1);
  redraw.schedule();
  frame();
  assert.equal(drawings(), 2);
});

test("a busy page is behind by the time that the oldest change has waited", () => {
  const { drawLag, redraw, frame, work } = openRedraw();
  redraw.schedule();
  work(1000);
  redraw.schedule();
  work(500);
  assert.equal(drawLag.currentMs(), 1500);
  frame();
  assert.equal(drawLag.currentMs(), 0, "everything is drawn");
});

test("while the next change waits, the page is as far behind as the last drawing was", () => {
  const { clock, eventLoop, drawLag, redraw, frame, work } = openRedraw();
  redraw.schedule();
  work(1000);
  frame();
  // The browser lays out and paints before the next task.
  eventLoop.probe();
  clock.block(500);
  clock.turn(0);
  redraw.schedule();
  assert.equal(drawLag.currentMs(), 1500);
  frame();
  clock.turn(0);
  redraw.schedule();
  assert.ok(drawLag.currentMs() < 500);
});

test("a hidden page, which has no frames, is not behind", () => {
  const { clock, drawLag, redraw } = openRedraw();
  redraw.schedule();
  clock.turn(60_000);
  assert.equal(drawLag.currentMs(), 0);
});
