"""What the services tell each other: each fact as a typed value, and its one translation from and to a message.

A fact's name is `<noun>.<past participle>`. Reading one raises MalformedMessage, so that a handler only ever
sees values that are what they should be.
"""

import re
import struct
from dataclasses import dataclass
from typing import ClassVar, Self
from uuid import UUID

from common import png
from common.errors import MalformedMessage
from common.fields import (
    MOST_NUMBER,
    header,
    is_number,
    item_headers,
    read_item,
    read_json,
    storable,
    uuid_of,
    write_json,
)
from common.items import Item, download_id
from common.message import Headers, Message
from common.reasons import Reason

HISTOGRAM = struct.Struct("<256I")
MD5 = re.compile(r"[0-9a-f]{32}")
HASH_OF_63_BITS = re.compile(r"[0-7][0-9a-f]{15}")
"""In hexadecimal digits: pika gives numbers that large back as a type of its own."""


@dataclass(frozen=True, slots=True)
class _AboutItem:
    """A fact that says nothing but which item it is about."""

    NAME: ClassVar[str]
    item: Item

    def to_message(self) -> Message:
        """Write the fact."""
        return Message(self.NAME, str(self.item.item_id), "application/octet-stream", item_headers(self.item), b"")

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        return cls(read_item(message))


@dataclass(frozen=True, slots=True)
class UrlSubmitted:
    """An item waits to be fetched. `refresh` asks for a download even when the URL is known."""

    NAME: ClassVar = "url.submitted"
    item: Item
    refresh: bool = False

    def to_message(self) -> Message:
        """Write the fact."""
        body = write_json({"refresh": self.refresh})
        return Message(self.NAME, str(self.item.item_id), "application/json", item_headers(self.item), body)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        return cls(read_item(message), refresh=read_json(message).get("refresh") is True)


@dataclass(frozen=True, slots=True)
class PageSubmitted:
    """A page waits to be scraped. `images` asks for its images as items of the same task; `refresh` goes with them."""

    NAME: ClassVar = "page.submitted"
    item: Item
    images: bool
    refresh: bool = False

    def to_message(self) -> Message:
        """Write the fact."""
        body = write_json({"images": self.images, "refresh": self.refresh})
        return Message(self.NAME, str(self.item.item_id), "application/json", item_headers(self.item), body)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        body = read_json(message)
        return cls(read_item(message), images=body.get("images") is True, refresh=body.get("refresh") is True)


class PageScraped(_AboutItem):
    """A page's text is stored, and the items of its images are in the ledger."""

    __slots__ = ()
    NAME: ClassVar = "page.scraped"


class TaskCompleted(_AboutItem):
    """Every item of a task of a page has its outcome. `item` is the page itself."""

    __slots__ = ()
    NAME: ClassVar = "task.completed"


@dataclass(frozen=True, slots=True)
class ImageFetched:
    """An image's bytes as received. Its message id is bound to them: see `common.items.download_id`."""

    NAME: ClassVar = "image.fetched"
    item: Item
    message_id: UUID
    content_type: str
    body: bytes

    @classmethod
    def of(cls, item: Item, body: bytes, content_type: str) -> Self:
        """Make the fact of a download."""
        return cls(item, download_id(item, body), content_type, body)

    def to_message(self) -> Message:
        """Write the fact."""
        return Message(self.NAME, str(self.message_id), self.content_type, item_headers(self.item), self.body)

    @classmethod
    def from_message(cls, message: Message, taken_up_ms: int | None = None) -> Self:
        """Read the fact, taken up now unless said."""
        if not message.body:
            raise MalformedMessage("the body is empty")
        message_id = uuid_of(message.message_id, "message_id")
        return cls(read_item(message, taken_up_ms), message_id, message.content_type, message.body)


@dataclass(frozen=True, slots=True)
class ImageHashed:
    """The MD5 (32 hexadecimal digits) and length of an image's bytes as received."""

    NAME: ClassVar = "image.hashed"
    item: Item
    message_id: UUID
    md5: str
    length_bytes: int

    def to_message(self) -> Message:
        """Write the fact."""
        headers = {**item_headers(self.item), "md5": self.md5, "length_bytes": self.length_bytes}
        return Message(self.NAME, str(self.message_id), "application/octet-stream", headers, b"")

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        return cls(
            read_item(message),
            uuid_of(message.message_id, "message_id"),
            header(message.headers, "md5", str, lambda value: MD5.fullmatch(value) is not None),
            header(message.headers, "length_bytes", int, lambda value: is_number(value, 1, MOST_NUMBER)),
        )


@dataclass(frozen=True, slots=True)
class ImageGrayscaled:
    """The gray version as a PNG, and what only the decoder knows. `histogram` counts the 256 gray levels.

    `perceptual_hash` is None when there is too little in the image to be hashed.
    """

    NAME: ClassVar = "image.grayscaled"
    item: Item
    message_id: UUID
    png: bytes
    width: int
    height: int
    format: str
    mode: str
    orientation: int
    histogram: tuple[int, ...]
    perceptual_hash: int | None = None

    def to_message(self) -> Message:
        """Write the fact."""
        headers = {
            **item_headers(self.item),
            "width": self.width,
            "height": self.height,
            "format": self.format,
            "mode": self.mode,
            "orientation": self.orientation,
            "histogram": HISTOGRAM.pack(*self.histogram),
        }
        if self.perceptual_hash is not None:
            headers["perceptual_hash"] = f"{self.perceptual_hash:016x}"
        return Message(self.NAME, str(self.message_id), "image/png", headers, self.png)

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact; the PNG's own header must agree with the message's."""
        headers = message.headers
        width = header(headers, "width", int, lambda value: is_number(value, 1, MOST_NUMBER))
        height = header(headers, "height", int, lambda value: is_number(value, 1, MOST_NUMBER))
        if not message.body.startswith(png.start_of(width, height)) or not png.is_whole(message.body):
            raise MalformedMessage(f"the body is no PNG of {width} x {height}")
        packed = header(headers, "histogram", bytes, lambda value: len(value) == HISTOGRAM.size)
        histogram = HISTOGRAM.unpack(packed)
        if sum(histogram) != width * height:
            raise MalformedMessage("the histogram does not count every pixel once")
        return cls(
            read_item(message),
            uuid_of(message.message_id, "message_id"),
            message.body,
            width,
            height,
            header(headers, "format", str, lambda value: len(value) <= 20),
            header(headers, "mode", str, lambda value: len(value) <= 20),
            header(headers, "orientation", int, lambda value: 1 <= value <= 8),
            histogram,
            _read_hash(headers) if "perceptual_hash" in headers else None,  # before there were any, none was told
        )


def download_of(message: Message) -> UUID | None:
    """Give the download that a message is a half of, for which its item may have been claimed."""
    if message.type not in (ImageHashed.NAME, ImageGrayscaled.NAME):
        return None
    try:
        return UUID(message.message_id)
    except ValueError:
        return None


def _read_hash(headers: Headers) -> int:
    return int(header(headers, "perceptual_hash", str, lambda value: HASH_OF_63_BITS.fullmatch(value) is not None), 16)


@dataclass(frozen=True, slots=True)
class ItemKnown:
    """An item's URL gave, in another task, an image that is stored; it was not downloaded again."""

    NAME: ClassVar = "item.known"
    item: Item
    md5: str

    def to_message(self) -> Message:
        """Write the fact."""
        headers = {**item_headers(self.item), "md5": self.md5}
        return Message(self.NAME, str(self.item.item_id), "application/octet-stream", headers, b"")

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        md5 = header(message.headers, "md5", str, lambda value: MD5.fullmatch(value) is not None)
        return cls(read_item(message), md5)


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """A stage gave an item up. `status` is the HTTP status, where there was one.

    `download` is the message id of what killed the workers that joined it: they may have claimed the item for it.
    """

    NAME: ClassVar = "item.failed"
    item: Item
    stage: str
    reason: Reason
    detail: str
    status: int | None = None
    attempts: int = 1
    download: UUID | None = None

    def to_message(self) -> Message:
        """Write the fact."""
        body = {
            "stage": self.stage,
            "reason": self.reason.value,
            "detail": storable(self.detail, 500),
            "status": self.status,
            "attempts": self.attempts,
            "download": self.download and str(self.download),
        }
        return Message(self.NAME, str(self.item.item_id), "application/json", item_headers(self.item), write_json(body))

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Read the fact."""
        body = read_json(message)
        try:
            reason = Reason(str(body.get("reason")))
        except ValueError as error:
            raise MalformedMessage(f"reason {body.get('reason')!r:.40} is not in the list") from error
        status, attempts = body.get("status"), body.get("attempts", 1)
        if not (status is None or is_number(status, 100, 999)) or not is_number(attempts, 1, MOST_NUMBER):
            raise MalformedMessage("status or attempts is no such number")
        download = body.get("download")
        return cls(
            read_item(message),
            storable(body.get("stage"), 40),
            reason,
            storable(body.get("detail"), 500),
            status,
            attempts,
            None if download is None else uuid_of(download, "download"),
        )
