/**
 * A real WordPress: `npm run wordpress`. The address of a pet is on a line of its own in a post, with an element and a frame
 * beside it, under a content security policy. Needs the packages
 *
 *   apt-get install --no-install-recommends wordpress wordpress-theme-twentytwentythree mariadb-server php-cli php-mysql php-xml
 *
 * WordPress asks no server on this machine and on no unusual port, so a plugin of the test allows it.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, openTab, startRescue, statusText } from "../support/browser.mjs";

const PASSWORD = "four words are enough";

/** Time from a tap of staff until all places show the change. */
const WITHIN_MS = 1_000;

test("an address in a post of WordPress is a live pet, beside an element and a frame", async (t) => {
  const [port, sitePort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${port}`;
  const { link } = await startRescue(t, { listen: `127.0.0.1:${port}`, "base-url": origin });
  const staff = await openTab(t, link);
  await addPet(staff, origin);
  const site = await startWordPress(t, sitePort, origin, [
    `<!-- wp:embed {"url":"${origin}/pets/1"} --><figure class="wp-block-embed"><div class="wp-block-embed__wrapper">`,
    `${origin}/pets/1`,
    "</div></figure><!-- /wp:embed -->",
    "<!-- wp:html -->",
    `<script type="module" src="${origin}/live/client.js"></script>`,
    `<p><pet-status pet="1"><a href="${origin}/pets/1">Biscuit</a></pet-status></p>`,
    `<iframe id="frame" title="Biscuit" src="${origin}/embed/pets/1" sandbox="allow-scripts" width="600" height="280"></iframe>`,
    "<!-- /wp:html -->",
  ].join("\n"));
  const tab = await openTab(t, site);
  assert.equal(await tab.page.locator("iframe.wp-embedded-content").getAttribute("sandbox"), "allow-scripts");
  const places = [
    tab.page.frameLocator("iframe.wp-embedded-content").locator(".status-text"),
    tab.page.locator("pet-status [part=text]"),
    tab.page.frameLocator("#frame").locator(".status-text"),
  ];
  const change = async (/** @type {number} */ limitMs, /** @type {string} */ status) => {
    await staff.page.locator(`.set-status fieldset [value="${status}"]`).click();
    const text = statusText(status);
    const from = performance.now();
    await eventually(async () => {
      assert.deepEqual(await Promise.all(places.map((place) => place.textContent())), places.map(() => text));
    }, limitMs);
    return performance.now() - from;
  };
  // Each place is live once it has shown a change.
  for (const status of ["eating", "playing"]) await change(20_000, status);
  for (const status of ["sleeping", "bathing", "eating", "playing"]) {
    const tookMs = await change(WITHIN_MS, status);
    t.diagnostic(`a change is in all three places after ${Math.round(tookMs)} ms`);
  }
  // WordPress has received the height, and shows the frame instead of the link.
  const post = tab.page.locator("iframe.wp-embedded-content");
  assert.ok(await post.isVisible());
  assert.ok(await tab.page.locator("blockquote.wp-embedded-content").isHidden());
  const inside = tab.page.frameLocator("iframe.wp-embedded-content").locator("body");
  const height = Math.ceil(await inside.evaluate((body) => body.getBoundingClientRect().height));
  assert.equal(Number(await post.getAttribute("height")), Math.max(height, 200));
  if (process.env.SCREENSHOT) await tab.page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  tab.assertNoProblems();
});

/** Makes the first admin, who adds the pet and stays on its page. */
async function addPet(tab, origin) {
  await tab.page.locator("#name").fill("anna");
  await tab.page.locator("#password").fill(PASSWORD);
  await tab.page.locator("#again").fill(PASSWORD);
  await tab.send('main button[type="submit"]');
  await tab.page.goto(`${origin}/pets/new`);
  await tab.fill({ name: "Biscuit", species: "Dog" });
  await tab.send('main form button[type="submit"]');
  await tab.page.goto(`${origin}/pets/1`);
}

/** Starts a database and WordPress with one post. Returns the address of the post. */
async function startWordPress(t, port, origin, post) {
  const folder = await mkdtemp(join(tmpdir(), "pet-store-wordpress-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const socket = await startDatabase(t, folder);
  const root = join(folder, "site");
  cpSync("/usr/share/wordpress", root, { recursive: true, dereference: true });
  writeFileSync(join(root, "wp-config.php"), config(socket, `http://127.0.0.1:${port}`));
  mkdirSync(join(root, "wp-content", "mu-plugins"), { recursive: true });
  writeFileSync(join(root, "wp-content", "mu-plugins", "test.php"), plugin(origin));
  writeFileSync(join(folder, "post.html"), post);
  writeFileSync(join(folder, "install.php"), INSTALL);
  const id = execFileSync("php", [join(folder, "install.php"), root, join(folder, "post.html")], { encoding: "utf8" }).match(/\d+$/)[0];
  const php = spawn("php", ["-S", `127.0.0.1:${port}`, "-t", root], { stdio: "ignore", env: { ...process.env, PHP_CLI_SERVER_WORKERS: "4" }, detached: true });
  t.after(() => process.kill(-php.pid));
  const address = `http://127.0.0.1:${port}/?p=${id}`;
  await eventually(async () => assert.equal((await fetch(address)).status, 200));
  return address;
}

/** Starts a database of its own. Returns the path of its socket. */
async function startDatabase(t, folder) {
  const [data, socket] = [join(folder, "data"), join(folder, "sql.sock")];
  const { username } = userInfo();
  execFileSync("mariadb-install-db", ["--no-defaults", `--datadir=${data}`, `--user=${username}`, "--auth-root-authentication-method=normal"], { stdio: "ignore" });
  const flags = ["--no-defaults", `--datadir=${data}`, `--socket=${socket}`, "--skip-networking", `--user=${username}`, `--pid-file=${folder}/pid`];
  const server = spawn("mariadbd", flags, { stdio: "ignore" });
  t.after(() => server.kill("SIGKILL"));
  await eventually(() => {
    execFileSync("mariadb", ["--no-defaults", `--socket=${socket}`, "-uroot", "-e", "CREATE DATABASE IF NOT EXISTS wordpress"], { stdio: "ignore" });
  });
  return socket;
}

const config = (socket, site) => `<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:${socket}');
define('DB_CHARSET', 'utf8mb4'); define('WP_HOME', '${site}'); define('WP_SITEURL', '${site}');
define('WP_HTTP_BLOCK_EXTERNAL', false); define('DISABLE_WP_CRON', true); define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
`;

/** Allows WordPress to ask the server of the test, and sends a policy. */
const plugin = (origin) => `<?php
add_filter('http_request_host_is_external', '__return_true');
add_filter('http_allowed_safe_ports', fn($ports) => [...$ports, ${new URL(origin).port}]);
add_action('send_headers', function () {
  header("Content-Security-Policy: default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    . "script-src 'self' 'unsafe-inline' ${origin}; frame-src ${origin}; connect-src 'self' ${origin} ${origin.replace("http", "ws")}");
});
`;

/** Installs WordPress, and publishes the post as its admin. */
const INSTALL = `<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = 'localhost';
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Happy Tails', 'anna', 'anna@rescue.example', false, '', 'four words are enough');
wp_set_current_user(1);
$content = wp_slash(file_get_contents($argv[2]));
echo wp_insert_post(['post_title' => 'Biscuit', 'post_status' => 'publish', 'post_content' => $content]);
`;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
