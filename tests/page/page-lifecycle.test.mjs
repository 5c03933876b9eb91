/** The turns of a page's life, and the hello page's echo. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildConnection } from "./support/connection.mjs";
import { FakeClock, fakeWebSocket } from "./support/fakes.mjs";
import { Lifecycle } from "../../public/live/page-lifecycle.js";
import { Echo } from "../../public/live/echo.js";

function openLifecycle(state = { visibilityState: "visible" }) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), state);
  const network = new EventTarget();
  const taken = [];
  const take = (turn) => () => taken.push(turn);
  const turns = {
    begin: take("begin"),
    leave: take("leave"),
    comeBack: take("comeBack"),
    wake: take("wake"),
    online: take("online"),
    offline: take("offline"),
  };
  const lifecycle = new Lifecycle({ window, document, network, turns });
  lifecycle.start();
  const tell = (target, type, more = {}) => target.dispatchEvent(Object.assign(new Event(type), more));
  return { window, document, network, lifecycle, taken, tell };
}

/** A lifecycle of a page that is visible from the start, and has begun. */
function openVisible() {
  const opened = openLifecycle();
  assert.deepEqual(opened.taken.splice(0), ["begin"]);
  return opened;
}

/** Everything that may happen to a page while no person looks at it. */
function happenUnseen({ window, document, network, tell }) {
  for (const type of ["offline", "online", "pagehide"]) tell(window, type);
  tell(window, "pageshow", { persisted: true });
  for (const type of ["visibilitychange", "freeze", "resume"]) tell(document, type);
  tell(network, "change");
}

test("a prerendered page begins when it is activated, and does nothing before", () => {
  const opened = openLifecycle({ visibilityState: "hidden", prerendering: true });
  const { document, taken, tell } = opened;
  happenUnseen(opened);
  assert.deepEqual(taken, []);
  Object.assign(document, { visibilityState: "visible", prerendering: false });
  tell(document, "prerenderingchange");
  tell(document, "visibilitychange");
  assert.deepEqual(taken, ["begin", "wake"]);
});

test("a page that was prerendered and is activated in the background waits until it is seen", () => {
  const { document, taken, tell } = openLifecycle({ visibilityState: "hidden", prerendering: true });
  document.prerendering = false;
  tell(document, "prerenderingchange");
  assert.deepEqual(taken, []);
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(taken, ["begin"]);
});

test("a page that says it is visible while it is prerendered is not believed", () => {
  const { document, taken, tell } = openLifecycle({ visibilityState: "visible", prerendering: true });
  tell(document, "visibilitychange");
  assert.deepEqual(taken, []);
});

test("a page opened in a background tab begins when it is first seen, and once", () => {
  const opened = openLifecycle({ visibilityState: "hidden" });
  const { document, taken, tell } = opened;
  happenUnseen(opened);
  assert.deepEqual(taken, []);
  for (const visibilityState of ["visible", "hidden", "visible"]) {
    document.visibilityState = visibilityState;
    tell(document, "visibilitychange");
  }
  assert.deepEqual(taken, ["begin", "wake"]);
});

test("a page that is stopped before it was seen never begins", () => {
  const { document, lifecycle, taken, tell } = openLifecycle({ visibilityState: "hidden" });
  lifecycle.stop();
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(taken, []);
});

test("pagehide leaves, and only a kept page comes back", () => {
  const { window, taken, tell } = openVisible();
  tell(window, "pageshow", { persisted: false });
  tell(window, "pagehide", { persisted: true });
  tell(window, "pageshow", { persisted: true });
  assert.deepEqual(taken, ["leave", "comeBack"]);
});

test("unload is not listened to: it would keep the page out of the back/forward cache", () => {
  const { window, taken, tell } = openVisible();
  tell(window, "unload");
  tell(window, "beforeunload");
  assert.deepEqual(taken, []);
});

test("a page wakes when it becomes visible, not when it is hidden", () => {
  const { document, taken, tell } = openVisible();
  document.visibilityState = "hidden";
  tell(document, "visibilitychange");
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(taken, ["wake"]);
});

test("a page that is frozen where it is has left, and comes back when it runs again", () => {
  const { document, taken, tell } = openVisible();
  tell(document, "freeze");
  tell(document, "resume");
  assert.deepEqual(taken, ["leave", "comeBack"]);
});

test("the network's comings and goings are passed on, until the lifecycle stops", () => {
  const { window, document, lifecycle, taken, tell } = openVisible();
  tell(window, "offline");
  tell(window, "online");
  lifecycle.stop();
  for (const type of ["offline", "online", "pagehide"]) tell(window, type);
  tell(window, "pageshow", { persisted: true });
  for (const type of ["visibilitychange", "freeze", "resume"]) tell(document, type);
  assert.deepEqual(taken, ["offline", "online"]);
});

/** A change of the network, some time after the page was opened. */
function networkChange(timeStamp) {
  return Object.defineProperty(new Event("change"), "timeStamp", { value: timeStamp });
}

test("a changed network is met like one that is back, but not with each new estimate of its speed", () => {
  const { network, lifecycle, taken } = openVisible();
  for (const at of [0, 1000, 119_999]) network.dispatchEvent(networkChange(at));
  assert.deepEqual(taken, ["online"]);
  network.dispatchEvent(networkChange(120_000));
  assert.deepEqual(taken, ["online", "online"]);
  lifecycle.stop();
  network.dispatchEvent(networkChange(360_000));
  assert.equal(taken.length, 2);
});

test("a browser that knows nothing of its network has a lifecycle all the same", () => {
  const window = new EventTarget();
  const taken = [];
  const turns = { begin: () => {}, leave: () => taken.push("leave") };
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const lifecycle = new Lifecycle({ window, document, turns });
  lifecycle.start();
  window.dispatchEvent(new Event("pagehide"));
  lifecycle.stop();
  window.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(taken, ["leave"]);
});

test("a page that is hidden and kept closes its link, and comes back with the last cursor", () => {
  const { clock, connection, made, page } = buildConnection();
  const window = new EventTarget();
  const nothing = () => {};
  const turns = {
    begin: () => connection.start(),
    leave: () => connection.stop(),
    comeBack: () => connection.start(),
    wake: nothing,
    online: nothing,
    offline: nothing,
  };
  new Lifecycle({ window, document: Object.assign(new EventTarget(), { visibilityState: "visible" }), turns }).start();
  made.ws[0].hello();
  page.cursor = "9f2c41aa-33";
  window.dispatchEvent(new Event("pagehide"));
  made.ws[0].onstate("closed");
  clock.turn(3_600_000);
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws.length, 1);
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.equal(made.ws.at(-1).since, "9f2c41aa-33");
});

function openEcho({ WebSocket } = fakeWebSocket(), made = WebSocket.made) {
  const clock = new FakeClock();
  const echo = new Echo({ WebSocket, origin: "http://127.0.0.1:3000", clock });
  const answers = [];
  const failures = [];
  echo.onanswer = (text) => answers.push(text);
  echo.onfail = () => failures.push("failed");
  return { clock, echo, made, answers, failures };
}

test("the echo opens its socket when there is something to say, and says it once it is open", () => {
  const { made, WebSocket } = fakeWebSocket();
  const { echo, answers, failures } = openEcho({ WebSocket }, made);
  assert.equal(made.length, 0);
  echo.say("hello");
  assert.equal(made[0].url, "ws://127.0.0.1:3000/hello/ws");
  made[0].open();
  assert.deepEqual(made[0].sent, ["hello"]);
  made[0].receive("hello");
  echo.say("again");
  assert.deepEqual(made[0].sent, ["hello", "again"]);
  assert.deepEqual([answers, failures], [["hello"], []]);
});

test("the echo fails once where its socket does not open, or nothing comes back", () => {
  const refused = fakeWebSocket();
  const first = openEcho(refused, refused.made);
  first.echo.say("hello");
  refused.made[0].drop();
  first.clock.turn(60_000);
  assert.deepEqual(first.failures, ["failed"]);

  const eaten = fakeWebSocket();
  const second = openEcho(eaten, eaten.made);
  second.echo.say("hello");
  eaten.made[0].open();
  second.clock.turn(5000);
  assert.deepEqual(second.failures, ["failed"]);

  const missing = openEcho({ WebSocket: undefined }, []);
  missing.echo.say("hello");
  assert.deepEqual(missing.failures, ["failed"]);
});

test("an echo socket that ends while nothing is owed is no failure, and is opened anew", () => {
  const { made, WebSocket } = fakeWebSocket();
  const { echo, failures } = openEcho({ WebSocket }, made);
  echo.say("hello");
  made[0].open();
  made[0].receive("hello");
  made[0].drop();
  assert.deepEqual(failures, []);
  echo.say("again");
  made[1].open();
  assert.deepEqual(made[1].sent, ["again"]);
});
