"""Pictures that arrive whole, under their own type or nearly so."""

from __future__ import annotations

import gzip
from hashlib import md5
from http import HTTPStatus

from samples.album import FORMATS, NAMES, Size, name_for
from samples.answer import Answer, RefusalError, redirect
from samples.visit import Visit

JPEG = FORMATS["jpg"].content_type
JPEG_START = b"\xff\xd8"
SHARED_SIZE = Size(320, 240)
REFUSALS_OF_AI = ("noai", "noimageai")


def at_size(visit: Visit) -> Answer:
    """A redirect to the one photo of this size."""
    size = visit.size()
    return redirect(f"/photo/{name_for(size)}/{size.width}/{size.height}.jpg")


def photo(visit: Visit) -> Answer:
    """The named photo in the format of the extension."""
    extension = visit.parts["extension"]
    body = visit.memory.album.picture(visit.parts["name"], visit.size(), extension)
    return picture(body, FORMATS[extension].content_type)


def same(visit: Visit) -> Answer:
    """One picture under however many paths."""
    return picture(visit.memory.album.picture("coffee", SHARED_SIZE))


def changing(visit: Visit) -> Answer:
    """Another photo each time, made unlike all earlier answers by a number in a comment segment."""
    turn = visit.memory.turns.count("changing")
    body = visit.memory.album.picture(NAMES[turn % len(NAMES)], visit.size())
    return picture(_with_comment(body, str(turn).encode()))


def opted_out(visit: Visit) -> Answer:
    """A picture whose owner refuses its use for training."""
    directive = visit.query.get("directive", REFUSALS_OF_AI[0])
    if directive not in REFUSALS_OF_AI:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"directive must be one of {', '.join(REFUSALS_OF_AI)}")
    return picture(jpeg(visit), JPEG, ("X-Robots-Tag", directive))


def gzipped(visit: Visit) -> Answer:
    """A picture with a content coding that nobody asked for."""
    return picture(gzip.compress(jpeg(visit), mtime=0), JPEG, ("Content-Encoding", "gzip"))


def jpeg(visit: Visit) -> bytes:
    """The photo of the size that the path names."""
    size = visit.size()
    return visit.memory.album.picture(name_for(size), size)


def picture(body: bytes, content_type: str = JPEG, *headers: tuple[str, str]) -> Answer:
    """A 200 with an entity tag."""
    tag = md5(body, usedforsecurity=False).hexdigest()
    return Answer(HTTPStatus.OK, content_type, body, (("ETag", f'"{tag}"'), *headers))


def _with_comment(body: bytes, comment: bytes) -> bytes:
    # A COM segment may stand anywhere before the scan; its length counts its own two bytes.
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return JPEG_START + segment + body[len(JPEG_START) :]
