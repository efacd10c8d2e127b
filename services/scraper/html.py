"""Whether a body is an HTML page, by what the server calls it and, where that says nothing, by how it begins."""

from common.errors import Permanent
from common.fetching.signature import image_format
from common.reasons import Reason

HTML = ("text/html", "application/xhtml+xml")
NO_ANSWER = ("", "text/plain", "application/octet-stream", "unknown/unknown", "application/unknown", "*/*", "text/xml")
"""What servers say that do not know (MIME Sniffing standard, 5.1), and plain text, which they say of everything."""
BEGINNINGS = tuple(
    f"<{name}".encode()
    for name in (
        *("!doctype html", "html", "head", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title"),
        *("b", "body", "br", "p", "!--"),
    )
)
"""MIME Sniffing standard, 7.1 ("rules for identifying an unknown MIME type")."""
ENDINGS = (b" ", b">", b"\t", b"\n", b"\r", b"/")
OTHERS = (b"%PDF-", b"PK\x03\x04", b"\x1f\x8b")
BOM = b"\xef\xbb\xbf"


def check_html(body: bytes, content_type: str) -> None:
    """Accept an HTML page; raises Permanent for anything else."""
    name = content_type.partition(";")[0].strip().lower()
    if body.startswith(OTHERS) or image_format(body) not in (None, "SVG"):
        raise Permanent(Reason.NOT_HTML, f"starts with {body[:16]!r}")
    if name in HTML or (name in NO_ANSWER and _begins_as_html(body)):
        return
    raise Permanent(Reason.NOT_HTML, f"Content-Type: {name:.60}" if name else f"starts with {body[:16]!r}")


def _begins_as_html(body: bytes) -> bool:
    if body.startswith((b"\xfe\xff", b"\xff\xfe")):
        body = body[2:512].replace(b"\x00", b"")
    start = body[:512].removeprefix(BOM).lstrip(b" \t\n\x0c\r").lower()
    return any(
        start.startswith(name) and (name == b"<!--" or start[len(name) : len(name) + 1] in ENDINGS)
        for name in BEGINNINGS
    )
