"""Images that stand in the page itself, as `data:` URLs.

Fetch standard, 6 ("data: URL processor"), RFC 2397; Infra standard ("forgiving-base64 decode").
"""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

SPACES = re.compile(rb"[ \t\n\f\r]+")
BASE64 = re.compile(rb"[A-Za-z0-9+/]*")
BASE64_SUFFIX = re.compile(r";\x20*base64\Z", re.IGNORECASE)


class NoData(Exception):
    """The URL has no data that can be read; the text says why."""


def read_data_url(url: str, *, most_bytes: int) -> tuple[str, bytes]:
    """Give the media type as told (empty when it is not) and the bytes. Raises NoData."""
    head, comma, data = url.partition(":")[2].partition(",")
    if not comma:
        raise NoData("no comma before the data")
    if len(data) > most_bytes * 4:
        raise NoData(f"more than {most_bytes:,} bytes")
    body = unquote_to_bytes(data)
    suffix = BASE64_SUFFIX.search(head.strip())
    if suffix:
        head, body = head.strip()[: suffix.start()], _from_base64(body)
    if len(body) > most_bytes:
        raise NoData(f"more than {most_bytes:,} bytes")
    if not body:
        raise NoData("no data")
    return head.partition(";")[0].strip().lower(), body


def _from_base64(text: bytes) -> bytes:
    text = SPACES.sub(b"", text)
    if len(text) % 4 == 0:
        text = text.removesuffix(b"=").removesuffix(b"=")
    if len(text) % 4 == 1 or not BASE64.fullmatch(text):
        raise NoData("no base64")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error as error:
        raise NoData("no base64") from error
