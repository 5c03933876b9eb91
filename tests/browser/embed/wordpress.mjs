/**
 * A real WordPress: `npm run wordpress`. The address of a pet is on a line of its own in a post, with an element, a frame and a
 * picture beside it, under a content security policy with the sources that the guide names. Needs the packages
 *
 *   apt-get install --no-install-recommends wordpress wordpress-theme-twentytwentythree mariadb-server php-cli php-mysql php-xml
 *
 * WordPress asks no server on this machine and on no unusual port, so a plugin of the test allows it.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LIMIT_MS, eventually, openTab, startRescue, statusText } from "../support/browser.mjs";

const PASSWORD = "four words are enough";

/** Time from a tap of staff until all places show the change. */
const WITHIN_MS = 1_000;

test("an address in a post of WordPress is a live pet, beside an element, a frame and a picture", async (t) => {
  const { origin, staff } = await startWithPet(t);
  const site = await startWordPress(t, origin);
  const posted = site.publish("administrator", [
    `<!-- wp:embed {"url":"${origin}/pets/1"} --><figure class="wp-block-embed"><div class="wp-block-embed__wrapper">`,
    `${origin}/pets/1`,
    "</div></figure><!-- /wp:embed -->",
    "<!-- wp:html -->",
    `<script type="module" src="${origin}/live/client.js"></script>`,
    `<p><pet-status pet="1"><a href="${origin}/pets/1">Biscuit</a></pet-status></p>`,
    `<p><a href="${origin}/pets/1"><img id="picture" src="${origin}/pets/1/live.png" alt="Biscuit" height="20"></a></p>`,
    `<p><iframe id="frame" title="Biscuit" src="${origin}/embed/pets/1" sandbox="allow-scripts" width="600" height="280" frameborder="0"></iframe></p>`,
    "<!-- /wp:html -->",
  ]);
  const tab = await openTab(t, posted);
  assert.equal(await tab.page.locator("iframe.wp-embedded-content").getAttribute("sandbox"), "allow-scripts");
  const places = [
    tab.page.frameLocator("iframe.wp-embedded-content").locator(".status-text"),
    tab.page.locator("pet-status [part=text]"),
    tab.page.frameLocator("#frame").locator(".status-text"),
  ];
  const picture = async () => (await tab.page.locator("#picture").screenshot()).toString("base64");
  const change = async (/** @type {number} */ limitMs, /** @type {string} */ status) => {
    const before = await picture();
    await staff.page.locator(`.set-status fieldset [value="${status}"]`).click();
    const text = statusText(status);
    const from = performance.now();
    await eventually(async () => {
      assert.deepEqual(await Promise.all(places.map((place) => place.textContent())), places.map(() => text));
    }, limitMs);
    const tookMs = performance.now() - from;
    await eventually(async () => assert.notEqual(await picture(), before), limitMs);
    return tookMs;
  };
  // Each place is live once it has shown a change.
  for (const status of ["eating", "playing"]) await change(LIMIT_MS, status);
  for (const status of ["sleeping", "bathing", "eating", "playing"]) {
    const tookMs = await change(WITHIN_MS, status);
    t.diagnostic(`a change is in all places after ${Math.round(tookMs)} ms`);
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

test("twenty elements in a post of WordPress use one connection", async (t) => {
  const { origin, staff } = await startWithPet(t);
  const site = await startWordPress(t, origin);
  const elements = Array.from({ length: 20 }, (_, index) => `<p><pet-status pet="${index + 1}"></pet-status></p>`);
  const script = `<script type="module" src="${origin}/live/client.js"></script>`;
  const posted = site.publish("administrator", ["<!-- wp:html -->", script, ...elements, "<!-- /wp:html -->"]);
  const tab = await openTab(t, "about:blank");
  const sockets = [];
  tab.page.on("websocket", (socket) => sockets.push(socket.url()));
  await tab.page.goto(posted);
  const texts = tab.page.locator("pet-status [part=text]");
  await eventually(async () => assert.equal(await texts.count(), 20));
  await staff.page.locator('.set-status fieldset [value="bathing"]').click();
  await eventually(async () => assert.equal(await texts.first().textContent(), "Bathing"));
  assert.equal(await texts.last().textContent(), "Not listed");
  assert.equal(sockets.length, 1, sockets.join());
  tab.assertNoProblems();
});

test("an author may paste the address of a pet, and WordPress takes out the element", async (t) => {
  const { origin } = await startWithPet(t);
  const site = await startWordPress(t, origin);
  const element = `<script type="module" src="${origin}/live/client.js"></script><pet-status pet="1">Biscuit</pet-status>`;
  const tab = await openTab(t, site.publish("author", [`${origin}/pets/1`, "", element]));
  const frame = tab.page.frameLocator("iframe.wp-embedded-content");
  await eventually(async () => assert.equal(await frame.locator(".status-text").textContent(), "Not set yet"));
  assert.equal(await tab.page.locator("pet-status").count(), 0);
});

/** Starts a rescue with one pet, whose page its admin has open. */
async function startWithPet(t) {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const { link } = await startRescue(t, { listen: new URL(origin).host, "base-url": origin });
  const staff = await openTab(t, link);
  await addPet(staff, origin);
  return { origin, staff };
}

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

/** Starts a database and WordPress. `publish` returns the address of a new post by somebody with this role. */
async function startWordPress(t, origin) {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "pet-store-wordpress-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const socket = await startDatabase(t, folder);
  const root = join(folder, "site");
  cpSync("/usr/share/wordpress", root, { recursive: true, dereference: true });
  // PHP's own server does not send WordPress what it takes for a file.
  writeFileSync(join(root, "favicon.ico"), "");
  writeFileSync(join(root, "wp-config.php"), config(socket, `http://127.0.0.1:${port}`));
  mkdirSync(join(root, "wp-content", "mu-plugins"), { recursive: true });
  writeFileSync(join(root, "wp-content", "mu-plugins", "test.php"), plugin(origin));
  const run = (/** @type {string} */ name, /** @type {string} */ script, /** @type {string[]} */ ...given) => {
    writeFileSync(join(folder, name), script);
    return execFileSync("php", [join(folder, name), root, ...given], { encoding: "utf8" });
  };
  run("install.php", INSTALL);
  const php = spawn("php", ["-S", `127.0.0.1:${port}`, "-t", root], { stdio: "ignore", env: { ...process.env, PHP_CLI_SERVER_WORKERS: "4" }, detached: true });
  t.after(() => process.kill(-php.pid));
  await eventually(async () => assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200));
  return {
    publish(/** @type {string} */ role, /** @type {string[]} */ lines) {
      writeFileSync(join(folder, "post.html"), lines.join("\n"));
      const id = run("publish.php", PUBLISH, join(folder, "post.html"), role).match(/\d+$/)[0];
      return `http://127.0.0.1:${port}/?p=${id}`;
    },
  };
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

/** The sources that the guide names, and those of WordPress itself. */
function policy(origin) {
  const guide = readFileSync(new URL("../../../docs/embed.md", import.meta.url), "utf8");
  const [, text] = guide.match(/```csp\n(.*)\n```/);
  const named = text.replaceAll("https://rescue.example", origin).replaceAll("wss://rescue.example", origin.replace("http", "ws"));
  const own = { "script-src": "'self' 'unsafe-inline'", "connect-src": "'self'", "img-src": "'self' data:" };
  const directives = named.split("; ").map((directive) => {
    const [name, ...sources] = directive.split(" ");
    return [name, own[name] ?? "", ...sources].join(" ");
  });
  return `default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; ${directives.join("; ")}`;
}

/** Allows WordPress to ask the server of the test, and sends the policy. */
const plugin = (origin) => `<?php
add_filter('http_request_host_is_external', '__return_true');
add_filter('http_allowed_safe_ports', fn($ports) => [...$ports, ${new URL(origin).port}]);
add_action('send_headers', function () { header("Content-Security-Policy: ${policy(origin)}"); });
`;

const INSTALL = `<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = 'localhost';
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_mail() { return true; }
wp_install('Happy Tails', 'anna', 'anna@rescue.example', false, '', 'four words are enough');
`;

/** Publishes a post by a new user, with the rights of a role. */
const PUBLISH = `<?php
$_SERVER['HTTP_HOST'] = 'localhost';
require $argv[1] . '/wp-load.php';
function wp_mail() { return true; }
$user = wp_insert_user(['user_login' => uniqid(), 'user_pass' => 'four words are enough', 'role' => $argv[3]]);
wp_set_current_user($user);
kses_init();
$content = wp_slash(file_get_contents($argv[2]));
echo wp_insert_post(['post_title' => 'Biscuit', 'post_status' => 'publish', 'post_author' => $user, 'post_content' => $content]);
`;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
