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


@schemathesis.hook
def before_call(context, case, kwargs):
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
