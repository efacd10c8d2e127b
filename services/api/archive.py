"""A task's images as a ZIP archive that is made while it is sent: an image at a time is in memory, and nothing on disk.

The same images make the same archive to the byte. Images are stored as they are; they are compressed already.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from enum import StrEnum
from io import BytesIO
from typing import ParamSpec, TypeVar
from uuid import UUID

import pymongo

from common.database import Database, Document, unavailability
from common.items import item_id, item_id_range
from common.manifest import IMAGE_FIELDS, LINE_FIELDS, Image, Line, Place, entry
from services.api.formats import type_of
from services.api.protection import READ_SECONDS
from services.api.queries.images import gray_png, original_body

LINES = 500
MANIFEST = "manifest.jsonl"
NO_TIME = (1980, 1, 1, 0, 0, 0)
READABLE = 0o644 << 16

Asked = ParamSpec("Asked")
Given = TypeVar("Given")


class Variant(StrEnum):
    """Which bytes of each image."""

    ORIGINAL = "original"
    GRAY = "gray"
    BOTH = "both"


class _Window:
    """The end of a file whose beginning is sent already.

    zipfile goes back to a member's header once it knows the sum and the length, so that no member needs them behind it:
    not every reader of a stream finds them there.
    """

    def __init__(self) -> None:
        self._sent_bytes = 0
        self._rest = BytesIO()

    def write(self, data: bytes) -> int:
        return self._rest.write(data)

    def tell(self) -> int:
        return self._sent_bytes + self._rest.tell()

    def seek(self, offset: int) -> int:
        return self._rest.seek(offset - self._sent_bytes)

    def flush(self) -> None:
        """Do nothing: it is sent when it is taken."""

    def take(self) -> bytes:
        piece = self._rest.getvalue()
        self._sent_bytes += len(piece)
        self._rest = BytesIO()
        return piece


class Archive:
    """Reads a task's images, and what the manifest tells of each line."""

    def __init__(self, database: Database, task_id: UUID, variant: Variant) -> None:
        self._database = database
        self._task_id = task_id
        self._variant = variant
        self._places: dict[str, tuple[Image, Place]] = {}
        self._manifest: list[bytes] = []

    def pieces(self) -> Iterator[bytes]:
        """Give the archive in pieces. Whoever stops in the middle leaves nothing open. Raises Unavailable.

        What is pending when its line is read is pending in the manifest, which comes last.
        """
        window = _Window()
        with zipfile.ZipFile(window, "w") as archive:  # type: ignore[call-overload]
            for line in self._lines():
                for name, body in self._new_files(line):
                    archive.writestr(_member(name, zipfile.ZIP_STORED), body)
                    yield window.take()
                image, place = self._places.get(line.md5 or "", (None, Place()))
                self._manifest.append(json.dumps(entry(line, image, place)).encode() + b"\n")
            archive.writestr(_member(MANIFEST, zipfile.ZIP_DEFLATED), b"".join(self._manifest))
        yield window.take()

    def _lines(self) -> Iterator[Line]:
        """Give the lines of the images, which begin after the page, by pages of ids: no cursor waits for the client."""
        _, last = item_id_range(self._task_id)
        after = item_id(self._task_id, 0)
        while documents := _in_time(self._items, {"_id": {"$gt": after, "$lte": last}}):
            yield from map(Line.of, documents)
            after = documents[-1]["_id"]

    def _items(self, condition: Document) -> list[Document]:
        with unavailability():
            found = self._database["items"].find(condition, LINE_FIELDS)
            return list(found.sort("_id").limit(LINES).hint("_id_"))

    def _new_files(self, line: Line) -> Iterator[tuple[str, bytes]]:
        """Give the files of a line's image that is not in the archive yet."""
        if line.md5 is None or line.md5 in self._places:
            return
        document = _in_time(self._image, line.md5)
        if document is None:
            return
        image = Image.of({**document, "url": line.url})
        file = gray_file = None
        if self._variant in (Variant.ORIGINAL, Variant.BOTH):
            body = _in_time(original_body, self._database, image.md5)
            if body is not None:
                file = f"images/{image.md5}.{type_of(image.format).ending}"
                yield file, body
        if self._variant in (Variant.GRAY, Variant.BOTH):
            body = _in_time(gray_png, self._database, image.md5)
            if body is not None:
                gray_file = f"gray/{image.md5}.png"
                yield gray_file, body
        self._places[image.md5] = (image, Place(file, gray_file))

    def _image(self, md5: str) -> Document | None:
        with unavailability():
            return self._database["images"].find_one({"_id": md5}, IMAGE_FIELDS)


def _member(name: str, compression: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, NO_TIME)
    member.compress_type = compression
    member.external_attr = READABLE
    member.create_system = 3  # Unix, wherever this runs
    return member


def _in_time(ask: Callable[Asked, Given], *arguments: Asked.args, **named: Asked.kwargs) -> Given:
    """Ask the database within the time that a request has for it; while an archive is sent, that is over."""
    with pymongo.timeout(READ_SECONDS):
        return ask(*arguments, **named)
