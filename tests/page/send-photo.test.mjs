/** Sending a photo: progress, a server that is busy, and problems in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sendPhoto } from "../../public/app/server/photos.js";
import { fake } from "./support/fakes.mjs";

/**
 * Sends a file to a server that gives these answers, one per attempt.
 * @param {{ status: number, body?: object, retryAfter?: string }[]} answers
 * @param {number} [size]
 */
async function send(answers, size = 4) {
  /** @type {number[]} */
  const waits = [];
  /** @type {number[]} */
  const progress = [];
  /** @type {string[]} */
  const headers = [];
  const request = () => {
    const { status, body = {}, retryAfter = null } = answers.shift() ?? { status: 0 };
    const sending = {
      upload: { onprogress: (/** @type {object} */ _event) => {} },
      onloadend: () => {},
      status,
      responseText: JSON.stringify(body),
      getResponseHeader: () => retryAfter,
      open: () => {},
      setRequestHeader: (/** @type {string} */ name, /** @type {string} */ value) => void headers.push(`${name}: ${value}`),
      send: () => {
        sending.upload.onprogress({ loaded: 1, total: 4 });
        sending.onloadend();
      },
    };
    return sending;
  };
  const result = await sendPhoto({
    request: fake(request),
    wait: async (ms) => void waits.push(ms),
    url: "/api/v1/pets/7/photos",
    file: fake({ name: "a.jpg", type: "image/jpeg", size }),
    key: "a key",
    onprogress: (share) => progress.push(share),
  });
  return { result, waits, progress, headers };
}

test("a photo is sent again while the server is busy", async () => {
  const { result, waits, progress, headers } = await send([{ status: 503, retryAfter: "5" }, { status: 429 }, { status: 201 }]);
  assert.deepEqual(result, { done: true });
  assert.deepEqual(waits, [5000, 2000]);
  assert.deepEqual(progress, [0.25, 0.25, 0.25]);
  // With one key, the server adds it once.
  assert.equal(headers.filter((header) => header === "idempotency-key: a key").length, 3);
});

test("the reason of a refusal is shown", async () => {
  const refused = await send([{ status: 415, body: { detail: "GIF is not supported." } }]);
  assert.deepEqual(refused.result, { problem: "GIF is not supported.", canRetry: false });
  assert.deepEqual((await send([{ status: 0 }])).result, { problem: "The connection was lost.", canRetry: true });
  assert.deepEqual((await send([{ status: 401 }])).result, { problem: "Please sign in again.", canRetry: true });
  const busy = await send(Array.from({ length: 9 }, () => ({ status: 503, body: { detail: "Too many photos." } })));
  assert.deepEqual([busy.result, busy.waits.length], [{ problem: "Too many photos.", canRetry: true }, 4]);
});

test("a file that is too large is not sent", async () => {
  const limit = 20 * 1024 * 1024;
  const large = await send([{ status: 201 }], limit + 1);
  assert.deepEqual(large.result, { problem: "This file is larger than 20 MB. Make the photo smaller and send it again.", canRetry: false });
  assert.deepEqual(large.progress, []);
  assert.deepEqual((await send([{ status: 201 }], limit)).result, { done: true });
});
