"""The body of a request, as text: in UTF-8, not compressed, and of a type that the route takes."""

from dataclasses import dataclass

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from services.api.describing import JSON, TEXT
from services.api.inputs import InvalidInput

SENT_AS = {JSON: "application/json", TEXT: "the lines of a file as text/plain"}


@dataclass(frozen=True, slots=True)
class Received:
    """A body and its media type: JSON or TEXT."""

    media_type: str
    text: str


def receive(*media_types: str) -> Received:
    """Take the body of the current request. Raises UnsupportedMediaType, RequestEntityTooLarge or InvalidInput."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if charset not in ("utf-8", "utf8") or encoding != "identity" or request.mimetype not in media_types:
        ways = ", or ".join(SENT_AS[media_type] for media_type in media_types)
        raise UnsupportedMediaType(f"Send {ways}; in UTF-8 and not compressed.")
    return Received(request.mimetype, decoded(request.get_data()))


def decoded(body: bytes) -> str:
    """Read UTF-8, with or without its mark. Raises InvalidInput."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"The body is not UTF-8: see line {line:,}, byte {error.start:,}.") from None
