/** Which requests the service worker answers, at the root of a host and below a path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../../public/worker/offline/requests.js";

/** @param {string} path @param {Partial<Request>} [others] */
const navigation = (path, others) => /** @type {any} */ ({ method: "GET", mode: "navigate", destination: "document", path, ...others });

/** @param {string} path */
const script = (path) => navigation(path, { mode: "no-cors", destination: "script" });

for (const scope of ["https://rescue.example/", "https://rescue.example/pets-live/"]) {
  const kind = (/** @type {any} */ { path, ...request }) => kindOf({ ...request, url: scope + path }, scope);

  test(`pages and their files are answered below ${scope}`, () => {
    for (const path of ["", "pets", "pets?q=biscuit", "pets/7", "pets/7/days/2026-11-29", "account", "offline", "boarding"]) {
      assert.equal(kind(navigation(path)), "page", path);
    }
    for (const path of ["assets/0123456789abcdef/visitor.js", "assets/accent/aa0000.css", "photos/abc-400.jpg"]) {
      assert.equal(kind(script(path)), "file", path);
    }
  });

  test(`live routes, the API, frames and files of other kinds are the browser's below ${scope}`, () => {
    for (const path of ["live/sse", "live/poll/x?wait=1", "live/state", "live/doctor", "live/client.js", "api/v1/pets", "api/docs"]) {
      assert.equal(kind(navigation(path)), null, path);
      assert.equal(kind(script(path)), null, path);
    }
    for (const path of ["board", "embed/board", "embed/pets/7", "pets/export.csv", "pets/feed.atom", "pets/7/badge.svg", "healthz", "metrics"]) {
      assert.equal(kind(navigation(path)), null, path);
    }
    assert.equal(kind(script("pets")), null, "a script that reads a page");
  });

  test(`what is sent, and a page in a frame, are the browser's below ${scope}`, () => {
    assert.equal(kind(navigation("pets", { method: "POST" })), null);
    assert.equal(kind(navigation("pets", { method: "HEAD" })), null);
    assert.equal(kind(navigation("pets", { destination: "iframe" })), null);
  });
}

test("another site on the same host is not answered", () => {
  const scope = "https://rescue.example/pets-live/";
  for (const url of ["https://rescue.example/pets", "https://rescue.example/", "https://other.example/pets-live/pets"]) {
    assert.equal(kindOf({ ...navigation(""), url }, scope), null, url);
  }
});
