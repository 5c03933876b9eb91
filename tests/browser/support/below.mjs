/**
 * Runs the browser tests once more below a path, behind nginx: `PET_STORE_BELOW=/pets-live npm test`.
 *
 * The address of a store is then that of nginx with the path, and everything below the path goes to the program.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The path; "" for the program itself at the root. */
export const BASE_PATH = process.env.PET_STORE_BELOW ?? "";

/** Returns the path of an address below the path of the site. @param {string} url */
export const sitePath = (url) => new URL(url).pathname.slice(BASE_PATH.length);

const START_LIMIT_MS = 10_000;

/** Returns a port that nothing listens on. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Starts nginx on `port`, which serves the program at `target` below the path. Returns what stops it. */
export async function startNginx(port, target) {
  const folder = await mkdtemp(join(tmpdir(), "pet-store-nginx-"));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  await writeFile(
    join(folder, "nginx.conf"),
    // The folder is readable for its owner alone.
    `${process.getuid() === 0 ? "user root; " : ""}daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 512; }
    http {
      access_log off; client_max_body_size 20m; ${paths.join(" ")}
      map $http_upgrade $connection_header { default upgrade; '' ''; }
      server {
        listen 127.0.0.1:${port};
        location / { return 418 "another program\\n"; }
        location = ${BASE_PATH} { return 301 ${BASE_PATH}/; }
        location ${BASE_PATH}/ {
          proxy_pass http://${target};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_header;
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $remote_addr;
        }
      }
    }`,
  );
  const child = spawn("nginx", ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")], { stdio: "ignore" });
  const until = Date.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    assert.ok(child.exitCode === null && Date.now() < until, "nginx does not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(folder, { recursive: true, force: true });
  };
}

/** @param {number} port */
async function accepts(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
