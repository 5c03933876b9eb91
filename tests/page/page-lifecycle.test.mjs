/** The lifecycle of a page, and the echo of the hello page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Echo } from "../../public/app/server/echo.js";
import { PageLifecycle } from "../../public/petstore/page-lifecycle.js";
import { buildConnection } from "./support/connection.mjs";
import { fake, FakeClock, fakeWebSocket, last } from "./support/fakes.mjs";

/** @typedef {{ visibilityState: string, prerendering?: boolean }} Visibility */

/** @param {Visibility} state */
function openLifecycle(state = { visibilityState: "visible" }) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), state);
  const network = new EventTarget();
  /** @type {string[]} */
  const called = [];
  const record = (/** @type {string} */ name) => () => void called.push(name);
  const handlers = {
    begin: record("begin"),
    leave: record("leave"),
    comeBack: record("comeBack"),
    wake: record("wake"),
    online: record("online"),
    offline: record("offline"),
  };
  const lifecycle = new PageLifecycle({ window, document, network, handlers });
  lifecycle.start();
  const tell = (/** @type {EventTarget} */ target, /** @type {string} */ type, fields = {}) =>
    target.dispatchEvent(Object.assign(new Event(type), fields));
  return { window, document, network, lifecycle, called, tell };
}

/** A lifecycle of a page that is visible from the start, and has begun. */
function openVisible() {
  const opened = openLifecycle();
  assert.deepEqual(opened.called.splice(0), ["begin"]);
  return opened;
}

/** Sends every event that can come before a page is visible. @param {ReturnType<typeof openLifecycle>} page */
function happenUnseen({ window, document, network, tell }) {
  for (const type of ["offline", "online", "pagehide"]) tell(window, type);
  tell(window, "pageshow", { persisted: true });
  for (const type of ["visibilitychange", "freeze", "resume"]) tell(document, type);
  tell(network, "change");
}

test("a prerendered page begins when it is activated, and does nothing before", () => {
  const opened = openLifecycle({ visibilityState: "hidden", prerendering: true });
  const { document, called, tell } = opened;
  happenUnseen(opened);
  assert.deepEqual(called, []);
  Object.assign(document, { visibilityState: "visible", prerendering: false });
  tell(document, "prerenderingchange");
  tell(document, "visibilitychange");
  assert.deepEqual(called, ["begin", "wake"]);
});

test("a prerendered page that is activated in the background waits until it is visible", () => {
  const { document, called, tell } = openLifecycle({ visibilityState: "hidden", prerendering: true });
  document.prerendering = false;
  tell(document, "prerenderingchange");
  assert.deepEqual(called, []);
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(called, ["begin"]);
});

test("a page that is prerendered does not begin, even if it says that it is visible", () => {
  const { document, called, tell } = openLifecycle({ visibilityState: "visible", prerendering: true });
  tell(document, "visibilitychange");
  assert.deepEqual(called, []);
});

test("a page in a background tab begins when it is visible for the first time, and once", () => {
  const opened = openLifecycle({ visibilityState: "hidden" });
  const { document, called, tell } = opened;
  happenUnseen(opened);
  assert.deepEqual(called, []);
  for (const visibilityState of ["visible", "hidden", "visible"]) {
    document.visibilityState = visibilityState;
    tell(document, "visibilitychange");
  }
  assert.deepEqual(called, ["begin", "wake"]);
});

test("a page that is stopped before it was visible never begins", () => {
  const { document, lifecycle, called, tell } = openLifecycle({ visibilityState: "hidden" });
  lifecycle.stop();
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(called, []);
});

test("pagehide leaves, and only a cached page comes back", () => {
  const { window, called, tell } = openVisible();
  tell(window, "pageshow", { persisted: false });
  tell(window, "pagehide", { persisted: true });
  tell(window, "pageshow", { persisted: true });
  assert.deepEqual(called, ["leave", "comeBack"]);
});

test("there is no listener for unload, which would keep the page out of the back/forward cache", () => {
  const { window, called, tell } = openVisible();
  tell(window, "unload");
  tell(window, "beforeunload");
  assert.deepEqual(called, []);
});

test("a page wakes when it becomes visible, not when it is hidden", () => {
  const { document, called, tell } = openVisible();
  document.visibilityState = "hidden";
  tell(document, "visibilitychange");
  document.visibilityState = "visible";
  tell(document, "visibilitychange");
  assert.deepEqual(called, ["wake"]);
});

test("a page that is frozen has left, and comes back when it is resumed", () => {
  const { document, called, tell } = openVisible();
  tell(document, "freeze");
  tell(document, "resume");
  assert.deepEqual(called, ["leave", "comeBack"]);
});

test("online and offline events are passed on until the lifecycle stops", () => {
  const { window, document, lifecycle, called, tell } = openVisible();
  tell(window, "offline");
  tell(window, "online");
  lifecycle.stop();
  for (const type of ["offline", "online", "pagehide"]) tell(window, type);
  tell(window, "pageshow", { persisted: true });
  for (const type of ["visibilitychange", "freeze", "resume"]) tell(document, type);
  assert.deepEqual(called, ["offline", "online"]);
});

/** A change of the network, some time after the page was opened. @param {number} timeStamp */
function networkChange(timeStamp) {
  return Object.defineProperty(new Event("change"), "timeStamp", { value: timeStamp });
}

test("a change of the network counts as online, but not each new estimate of its speed", () => {
  const { network, lifecycle, called } = openVisible();
  for (const at of [0, 1000, 119_999]) network.dispatchEvent(networkChange(at));
  assert.deepEqual(called, ["online"]);
  network.dispatchEvent(networkChange(120_000));
  assert.deepEqual(called, ["online", "online"]);
  lifecycle.stop();
  network.dispatchEvent(networkChange(360_000));
  assert.equal(called.length, 2);
});

test("the lifecycle works in a browser without navigator.connection", () => {
  const window = new EventTarget();
  /** @type {string[]} */
  const called = [];
  const noop = () => {};
  const leave = () => void called.push("leave");
  const handlers = { begin: noop, leave, comeBack: noop, wake: noop, online: noop, offline: noop };
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const lifecycle = new PageLifecycle({ window, document, handlers });
  lifecycle.start();
  window.dispatchEvent(new Event("pagehide"));
  lifecycle.stop();
  window.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(called, ["leave"]);
});

test("a page that is cached closes its link, and resumes at its cursor when it is restored", () => {
  const { clock, connection, made, page } = buildConnection();
  const window = new EventTarget();
  const noop = () => {};
  const handlers = {
    begin: () => connection.start(),
    leave: () => connection.stop(),
    comeBack: () => connection.start(),
    wake: noop,
    online: noop,
    offline: noop,
  };
  new PageLifecycle({ window, document: Object.assign(new EventTarget(), { visibilityState: "visible" }), handlers }).start();
  made.ws[0].hello();
  page.cursor = "9f2c41aa-33";
  window.dispatchEvent(new Event("pagehide"));
  made.ws[0].onstate("closed");
  clock.turn(3_600_000);
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws.length, 1);
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.equal(last(made.ws).since, "9f2c41aa-33");
});

function openEcho({ WebSocket, made } = fakeWebSocket()) {
  const clock = new FakeClock();
  const echo = new Echo({ WebSocket, site: "http://127.0.0.1:3000", clock });
  /** @type {string[]} */
  const replies = [];
  /** @type {string[]} */
  const failures = [];
  echo.onreply = (text) => replies.push(text);
  echo.onfail = () => failures.push("failed");
  return { clock, echo, made, replies, failures };
}

test("the echo opens its socket with the first text, and sends it once the socket is open", () => {
  const { echo, made, replies, failures } = openEcho();
  assert.equal(made.length, 0);
  echo.send("hello");
  assert.equal(made[0].url, "ws://127.0.0.1:3000/hello/ws");
  made[0].open();
  assert.deepEqual(made[0].sent, ["hello"]);
  made[0].receive("hello");
  echo.send("again");
  assert.deepEqual(made[0].sent, ["hello", "again"]);
  assert.deepEqual([replies, failures], [["hello"], []]);
});

test("the echo fails once if its socket does not open, or no reply comes", () => {
  const refused = openEcho();
  refused.echo.send("hello");
  refused.made[0].drop();
  refused.clock.turn(60_000);
  assert.deepEqual(refused.failures, ["failed"]);

  const dropped = openEcho();
  dropped.echo.send("hello");
  dropped.made[0].open();
  dropped.clock.turn(5000);
  assert.deepEqual(dropped.failures, ["failed"]);

  const missing = openEcho({ WebSocket: fake(undefined), made: [] });
  missing.echo.send("hello");
  assert.deepEqual(missing.failures, ["failed"]);
});

test("an echo socket that closes while no reply is expected has not failed, and is opened again", () => {
  const { echo, made, failures } = openEcho();
  echo.send("hello");
  made[0].open();
  made[0].receive("hello");
  made[0].drop();
  assert.deepEqual(failures, []);
  echo.send("again");
  made[1].open();
  assert.deepEqual(made[1].sent, ["again"]);
});
