"""500 viewers and 50 requests per second, for tests/packages/run.

    load.py BASE SECONDS

Prints one line of JSON: what was sent, and what was refused or lost. A request is refused if its connection is, or if it ends
without an answer or with another status than 200. A change is lost if a viewer never receives its id.
"""

import asyncio
import json
import re
import sys
import time
from urllib.parse import urlsplit

VIEWERS = 500
REQUESTS_PER_SECOND = 50
# One of so many requests is a change: each one goes to all viewers.
REQUESTS_PER_CHANGE = 10
EVENT_ID = re.compile(rb"^id: ?[0-9a-f]{8}-(\d+)$", re.M)
CURSOR = re.compile(rb'"cursor":"([0-9a-f]{8}-\d+)"')

base, seconds = urlsplit(sys.argv[1]), float(sys.argv[2])
refused, changes, answered = [], [], 0


def request(method, path, body=b"", fields=""):
    head = f"{method} {path} HTTP/1.1\r\nHost: {base.netloc}\r\n{fields}"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def ask(method, path, body=b""):
    """Sends a request on a connection of its own, and returns the answer."""
    global answered
    try:
        reader, writer = await asyncio.open_connection(base.hostname, base.port)
        writer.write(request(method, path, body, "Connection: close\r\n"))
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(answer[:60].decode(errors="replace") or "no answer")
    except OSError as error:
        refused.append(f"{method} {path}: {error}")
        return b""
    answered += 1
    return answer


async def change(number):
    status = ["eating", "bathing", "sleeping", "playing"][number % 4]
    body = json.dumps({"status": status}).encode()
    answer = await ask("PUT", f"/api/v1/pets/{number % 6 + 1}/status", body)
    if cursor := CURSOR.search(answer):
        changes.append(int(cursor[1].split(b"-")[1]))


class Viewer:
    """An event stream that is opened again after each end, at the last id that it received."""

    def __init__(self, since):
        self.since, self.ids, self.connections = since, [], 0

    async def watch(self, end):
        while True:
            try:
                reader, writer = await asyncio.open_connection(base.hostname, base.port)
                self.connections += 1
                writer.write(request("GET", f"/live/sse?since={self.since}"))
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise OSError(head[:60].decode())
                await self.read(reader, end)
                writer.close()
            except (OSError, asyncio.IncompleteReadError) as error:
                refused.append(f"viewer: {error!r}")
            if end.is_set():
                return
            # Pages wait for up to the time that the server names; here all come back soon.
            await asyncio.sleep(0.2)

    async def read(self, reader, end):
        rest = b""
        while not end.is_set():
            try:
                data = await asyncio.wait_for(reader.read(65536), 1)
            except TimeoutError:
                continue
            if not data:
                return
            text, _, rest = (rest + data).rpartition(b"\n")
            for match in EVENT_ID.finditer(text):
                rev = int(match[1])
                # The hello and the snapshot have the id of the place at which the stream starts.
                if not self.ids or rev != self.ids[-1]:
                    self.ids.append(rev)
                self.since = match[0].split(b":")[1].strip().decode()


async def main():
    start = CURSOR.search(await ask("GET", "/live/state"))[1].decode()
    first = int(start.split("-")[1])
    end = asyncio.Event()
    viewers = [Viewer(start) for _ in range(VIEWERS)]
    watching = [asyncio.create_task(viewer.watch(end)) for viewer in viewers]
    while sum(viewer.connections > 0 for viewer in viewers) < VIEWERS:
        await asyncio.sleep(0.1)
    print("watching", file=sys.stderr, flush=True)
    sending, number, began = set(), 0, time.monotonic()
    while time.monotonic() - began < seconds:
        if number % REQUESTS_PER_CHANGE == 0:
            # One after another, so that their order is known.
            todo = change(number // REQUESTS_PER_CHANGE)
        else:
            todo = ask("GET", ["/pets", "/pets/1", "/live/state", "/api/v1/pets"][number % 4])
        sending.add(asyncio.create_task(todo))
        number += 1
        await asyncio.sleep(max(0, began + number / REQUESTS_PER_SECOND - time.monotonic()))
    await asyncio.gather(*sending)
    await asyncio.sleep(5)
    end.set()
    await asyncio.gather(*watching)
    newest = max(changes)
    expected = [rev for rev in range(first + 1, newest + 1)]
    lost = sum(len(set(expected) - set(viewer.ids)) for viewer in viewers)
    disordered = sum(viewer.ids != sorted(set(viewer.ids)) for viewer in viewers)
    print(json.dumps({
        "requests": number, "answered": answered - 1, "changes": len(changes), "refused": len(refused),
        "examples": refused[:5], "viewers": VIEWERS, "reconnected": sum(viewer.connections > 1 for viewer in viewers),
        "lost": lost, "disordered": disordered, "unacknowledged": len(expected) - len(set(changes)),
    }))
    sys.exit(bool(refused or lost or disordered))


asyncio.run(main())
