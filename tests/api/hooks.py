"""What the OpenAPI document says in words only, for the requests that schemathesis makes up."""

import re
import struct
import uuid
import zlib
from datetime import UTC, datetime

import schemathesis
from hypothesis import strategies

KEY = "Idempotency-Key"
IS_KEY = re.compile(r'([!#-\[\]-~]{1,255}|"[!#-\[\]-~]{1,255}")')

used_keys: set[str] = set()

# The server of these checks has no activities of its own.
STATUSES = ["eating", "bathing", "sleeping", "playing"]
IS_WORD = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


@schemathesis.hook
def before_call(context, case, kwargs):
    use_known_status(case.query, "doing")
    use_known_status(case.body, "status")
    start_now(case.body)
    use_new_key(case)
    ask_live_now(case)


def use_known_status(fields, name):
    """Replaces a word that may be an activity, but is none of this rescue's."""
    word = fields.get(name) if isinstance(fields, dict) else None
    if isinstance(word, str) and IS_WORD.fullmatch(word):
        fields[name] = STATUSES[len(word) % len(STATUSES)]


def start_now(fields):
    """Replaces a start, which must be the only one, of the last 24 hours, and after that of the status before; and a
    `since` in the future, which is the time of something else."""
    if not isinstance(fields, dict):
        return
    since = fields.get("since")
    if is_time(since) and datetime.fromisoformat(since) > datetime.now(UTC):
        fields["since"] = None
    if is_time(fields.get("began")):
        fields["began"] = None
    if fields.get("minutes_ago") in range(24 * 60 + 1):
        fields["minutes_ago"] = None if is_time(fields.get("since")) else 0


# The parameters of the log, in the order of its one spelling. The last three come together.
LOG = ["pet", "since", "slice", "wait"]
FIRST = {"since": "00000000-0", "slice": 0, "wait": 0}


def ask_live_now(case):
    """Replaces a wait, for which there would not be time, and spells an address of the log in the only way."""
    query = case.query
    if case.path == "/live/poll" and is_number(query.setdefault("wait", 0)):
        query["wait"] = 0
    pets = query.get("pet")
    # Some phases make texts of numbers.
    if isinstance(pets, list) and all(str(pet).isdigit() for pet in pets):
        query["pet"] = sorted(pets, key=int)
    if case.path != "/live/log":
        return
    if any(name in query for name in FIRST):
        for name, value in FIRST.items():
            query.setdefault(name, value)
    if query.get("wait") in range(26):
        query["wait"] = 0
    for name in LOG:
        if name in query:
            query[name] = query.pop(name)


def is_number(value):
    return isinstance(value, (int, float)) and value >= 0


def is_time(text):
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def use_new_key(case):
    """Gives every request a key of its own: a key that was used for another request is 422."""
    key = (case.headers or {}).get(KEY)
    if not isinstance(key, str) or not IS_KEY.fullmatch(key):
        return
    if key.strip('"') in used_keys:
        key = str(uuid.uuid4())
        case.headers[KEY] = key
    used_keys.add(key.strip('"'))


# `since` must not be in the future.
started = datetime.now(UTC).replace(tzinfo=None)
past = strategies.datetimes(min_value=datetime(1, 1, 1), max_value=started, timezones=strategies.just(UTC))
schemathesis.openapi.format("date-time", past.map(lambda time: time.isoformat()))


def png(side: int) -> bytes:
    """Returns a black square."""
    chunks = [
        (b"IHDR", struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress((b"\0" * (side + 1)) * side)),
        (b"IEND", b""),
    ]
    parts = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# Each side of a photo has 16 to 20,000 pixels. The content says what a file is, not its media type.
for media_type in ("image/jpeg", "image/png", "image/webp", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, strategies.integers(16, 200).map(png))
