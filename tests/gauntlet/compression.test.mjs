/** Behind nginx as in the guide, over HTTP/2: pages arrive compressed, and event streams as they are. */
import assert from "node:assert/strict";
import { connect } from "node:http2";
import { test } from "node:test";
import * as nginx from "./boxes/nginx.mjs";
import { PETS, startForVisitors } from "./support/subject.mjs";

test("nginx passes on the compression of pages, and compresses no stream", async () => {
  const subject = await startForVisitors(PETS);
  const box = await nginx.overHttp2(subject.address);
  const session = connect(box.origin, { rejectUnauthorized: false });
  try {
    for (const [path, encoding] of [
      ["/pets", "br"],
      ["/api/v1/pets", "br"],
      ["/live/sse", undefined],
    ]) {
      const request = session.request({ ":path": path, "accept-encoding": "gzip, br" });
      const [head, first] = await Promise.all([
        new Promise((resolve) => request.once("response", resolve)),
        new Promise((resolve) => request.once("data", resolve)),
      ]);
      request.close();
      assert.equal(head["content-encoding"], encoding, path);
      assert.ok(first.length > 0, path);
    }
  } finally {
    session.destroy();
    await box.stop();
    await subject.stop();
  }
});
