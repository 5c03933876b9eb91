/** The files of `public/built/`: they are those of the sources, and small. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BUILT, build } from "./build.mjs";

const files = await build();
/** @type {Record<string, { hash: string, bytes: number, brotli: number }>} */
const manifest = JSON.parse(String(files.get("manifest.json")));

/** The most brotli bytes of script and stylesheet, by page. */
const LIMITS = [
  { page: "index of visitors", files: ["visitor.js", "visitor.css"], limit: 22_000 },
  { page: "page of one pet of visitors", files: ["visitor.js", "visitor.css", "pet.css"], limit: 22_000 },
  { page: "index of staff", files: ["staff.js", "staff.css"], limit: 26_500 },
  { page: "a part of the pets", files: ["find.js", "find.css"], limit: 2_000 },
  { page: "selection of staff", files: ["selection.js", "selection.css"], limit: 1_300 },
  { page: "compact list of staff", files: ["rows.css"], limit: 1_000 },
  { page: "index of the demo", files: ["demo.js", "staff.css"], limit: 27_000 },
  { page: "screen in the lobby", files: ["lobby.js", "lobby.css"], limit: 24_500 },
  { page: "sheet to print", files: ["sheet.js", "sheet.css"], limit: 5_000 },
  { page: "hello", files: ["hello.js", "staff.css"], limit: 24_500 },
  { page: "doctor", files: ["doctor.js", "staff.css"], limit: 15_000 },
  { page: "photos", files: ["photos.js", "staff.css", "photos.css"], limit: 12_000 },
  { page: "reference of the API", files: ["forms.js", "staff.css", "docs.css"], limit: 11_600 },
  { page: "forms", files: ["forms.js", "staff.css"], limit: 11_000 },
  { page: "snippets for other sites", files: ["forms.js", "staff.css", "share.js", "share.css"], limit: 12_000 },
  { page: "frame on another site", files: ["visitor.js", "visitor.css", "embed.js", "embed.css"], limit: 22_500 },
  { page: "the last board without a network", files: ["install-worker.js", "service-worker.js", "offline.js"], limit: 5_000 },
  { page: "pages of other sites", files: ["client.js"], limit: 15_360 },
];

test("the committed files are those of the sources", () => {
  assert.deepEqual(readdirSync(BUILT).sort(), [...files.keys()].sort(), "run: npm run build");
  for (const [name, content] of files) {
    assert.ok(readFileSync(`${BUILT}/${name}`).equals(Buffer.from(content)), `${name}: run: npm run build`);
  }
});

for (const { page, files, limit } of LIMITS) {
  test(`script and stylesheet of ${page} are at most ${limit} bytes`, () => {
    const sizes = files.map((name) => manifest[name].brotli);
    const sum = sizes.reduce((sum, size) => sum + size);
    assert.ok(sum <= limit, `${sum} bytes: ${sizes.join(" + ")}`);
  });
}
