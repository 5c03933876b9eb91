/** Filters for what a server sends, each a stream. */
import { Transform } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";

/** @param {(this: Transform, chunk: Buffer) => void | Promise<void>} each */
function filter(each, flush = (done) => done()) {
  return new Transform({
    async transform(chunk, _encoding, done) {
      await each.call(this, chunk);
      done();
    },
    flush,
    // Nothing waits in the filter itself.
    writableHighWaterMark: 1,
  });
}

/** Passes these many bytes, then calls `cut`. */
export function first(bytes, cut) {
  let left = bytes;
  return filter(function (chunk) {
    if (left < 0) return;
    if (left > 0) this.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left < 0) cut(this);
  });
}

/** Holds each piece until the next one comes. */
export function untilTheNext() {
  let held;
  return filter(
    function (chunk) {
      if (held) this.push(held);
      held = chunk;
    },
    function (done) {
      if (held) this.push(held);
      done();
    },
  );
}

/** Passes everything on in pieces of this size. */
export function inPieces(bytes) {
  return filter(function (chunk) {
    for (let at = 0; at < chunk.length; at += bytes) this.push(chunk.subarray(at, at + bytes));
  });
}

/** Collects for this long after a first piece, and sends all as one. */
export function collected(ms) {
  let pieces = [];
  let timer;
  const send = (stream) => {
    clearTimeout(timer);
    timer = undefined;
    if (pieces.length > 0) stream.push(Buffer.concat(pieces));
    pieces = [];
  };
  return filter(
    function (chunk) {
      pieces.push(chunk);
      timer ??= setTimeout(() => send(this), ms);
    },
    function (done) {
      send(this);
      done();
    },
  );
}

/** Delays each piece by another time, in order. */
export function jittery(maxMs) {
  let seed = 1;
  return filter(async function (chunk) {
    // The generator of Park and Miller: the same times in each run.
    seed = (seed * 48_271) % 2_147_483_647;
    await pause(seed % maxMs);
    this.push(chunk);
  });
}

/** Passes everything on, and reports each match of a pattern. */
export function eachText(pattern, onmatch) {
  return filter(function (chunk) {
    for (const _ of chunk.toString("latin1").matchAll(pattern)) onmatch();
    this.push(chunk);
  });
}

/** Passes nothing on. */
export const nothing = () => filter(() => {});

/**
 * Passes only some WebSocket frames on. Frames of a server have no mask.
 * @param {(frame: { opcode: number, bytes: number }) => boolean} keep  Gets the length of the payload.
 */
export function frames(keep) {
  let waiting = Buffer.alloc(0);
  return filter(function (chunk) {
    waiting = Buffer.concat([waiting, chunk]);
    for (let frame = nextFrame(waiting); frame; frame = nextFrame(waiting)) {
      const whole = waiting.subarray(0, frame.end);
      waiting = waiting.subarray(frame.end);
      if (keep(frame)) this.push(whole);
    }
  });
}

/** RFC 6455, section 5.2. @param {Buffer} data */
function nextFrame(data) {
  if (data.length < 2) return undefined;
  const short = data[1] & 0x7f;
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (data.length < head) return undefined;
  const bytes = short === 127 ? Number(data.readBigUInt64BE(2)) : short === 126 ? data.readUInt16BE(2) : short;
  return data.length < head + bytes ? undefined : { opcode: data[0] & 0x0f, bytes, end: head + bytes };
}
