/**
 * Pages of pet-store for the Socket.IO server: the same HTML and CSS with the same compression, and in place of pet-store's
 * scripts and its preloaded poll the client of Socket.IO with a script that draws changes into the same elements.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** The client of Socket.IO, minified. Below /socket.io/ is the address of the server itself. */
const CLIENT = "/socket.io.min.js";
const CLIENT_FILES = join(dirname(createRequire(import.meta.url).resolve("socket.io/package.json")), "client-dist");

/** What pet-store's page loads only for its own script. */
const SCRIPTS = /<script\b[^>]*>[\s\S]*?<\/script>|<link\b[^>]*rel="(?:modulepreload|preload)"[^>]*>/g;

const PET = /(data-pet="([1-9]\d*)" data-status=")[a-z]+("[\s\S]*?data-field="status">)[^<]*/g;
const CURSOR = /data-cursor="[^"]*"/;

const STYLESHEETS_AND_IMAGES = /(?:href|src)="(\/[^"]+\.(?:css|svg)[^"]*)"/g;
const IMAGES_OF_CSS = /url\("?(?!data:)([^")]+\.svg)"?\)/g;

const capitalized = (status) => status[0].toUpperCase() + status.slice(1);

/** @typedef {{ headers: Record<string, string>, bodies: Record<"br" | "gzip" | "identity", Buffer> }} File */

export class CopiedSite {
  /** @type {Map<string, string>} */
  #pages = new Map();
  /** @type {Map<string, File>} */
  #files = new Map();

  /**
   * Copies the pages at these paths, and what they load.
   * @param {string} origin  A running pet-store.
   * @param {string[]} paths
   */
  static async copy(origin, paths) {
    const site = new CopiedSite();
    const script = await readFile(new URL("same-page.js", import.meta.url), "utf8");
    for (const path of paths) {
      const html = await (await fetch(origin + path)).text();
      const files = html.replaceAll("&#x2f;", "/").matchAll(STYLESHEETS_AND_IMAGES);
      for (const [, file] of files) await site.#copyFile(origin, file);
      assert.ok(html.match(PET) && CURSOR.test(html), `${path} has pets and a cursor`);
      const scripts = `<script defer src="${CLIENT}"></script><script type="module">${script}</script></head>`;
      site.#pages.set(path, html.replace(SCRIPTS, "").replace("</head>", () => scripts));
    }
    const client = await readFile(join(CLIENT_FILES, "socket.io.min.js"));
    site.#files.set(CLIENT, asFile({ "content-type": "text/javascript; charset=utf-8" }, client));
    return site;
  }

  async #copyFile(origin, path) {
    if (this.#files.has(path)) return;
    const response = await fetch(origin + path);
    assert.ok(response.ok, `${path}: ${response.status}`);
    const headers = Object.fromEntries(
      ["content-type", "cache-control"].map((name) => [name, response.headers.get(name) ?? ""]),
    );
    const body = Buffer.from(await response.arrayBuffer());
    this.#files.set(path, asFile(headers, body));
    if (!headers["content-type"].startsWith("text/css")) return;
    for (const [, url] of body.toString().matchAll(IMAGES_OF_CSS)) await this.#copyFile(origin, new URL(url, origin + path).pathname);
  }

  /**
   * Answers a request for a page with the current statuses, or for one of its files.
   * @param {import("node:http").IncomingMessage} request
   * @param {import("node:http").ServerResponse} response
   * @param {{ cursor: string, board: Map<number, { status: string }> }} state
   * @returns {boolean} False if there is no such page or file.
   */
  answer(request, response, { cursor, board }) {
    const accepted = request.headers["accept-encoding"] ?? "";
    const encoding = accepted.includes("br") ? "br" : accepted.includes("gzip") ? "gzip" : "identity";
    const send = (headers, body) => {
      const encoded = encoding === "identity" ? {} : { "content-encoding": encoding, vary: "accept-encoding" };
      response.writeHead(200, { ...headers, ...encoded, "content-length": body.length }).end(body);
    };
    const file = this.#files.get(request.url);
    if (file) send(file.headers, file.bodies[encoding]);
    const page = this.#pages.get(request.url);
    if (!page) return file !== undefined;
    const html = page
      .replace(CURSOR, `data-cursor="${cursor}"`)
      .replace(PET, (_all, head, id, middle) => {
        const { status } = board.get(Number(id));
        return head + status + middle + capitalized(status);
      });
    send({ "content-type": "text/html; charset=utf-8", "cache-control": "no-store" }, QUICKLY[encoding](Buffer.from(html)));
    return true;
  }
}

/** For what is compressed once. */
const WELL = { br: (body) => brotliCompressSync(body), gzip: (body) => gzipSync(body, { level: 9 }) };

/** For what is compressed for each response. */
const QUICKLY = {
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: (body) => gzipSync(body),
  identity: (body) => body,
};

/** @returns {File} */
function asFile(headers, body) {
  return { headers, bodies: { br: WELL.br(body), gzip: WELL.gzip(body), identity: body } };
}
