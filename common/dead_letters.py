"""Dead letters: messages that no worker could handle, kept for people to look at, to put back or to throw out.

The aggregator takes them out of the broker's queue `dead` and writes them here: a queue can only be looked at by taking
everything out of it, bodies and all. The collection is capped, in letters and in bytes: the oldest make room. Nothing
hangs on them: an item that a letter is about has ended as poison, or is pending and can be published again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import NAMESPACE_OID, UUID, uuid5

import pika.data
from bson import Binary

from common.database import Database, Document, create_indexes, unavailability
from common.inserting import insert_new
from common.instants import write_instant
from common.message import Headers, Message, encodable

COLLECTION = "dead_letters"
OF_THE_BROKER = "x-"
LONGEST_BODY_BYTES = 15 * 1024 * 1024 + 512 * 1024
"""Of ours, none is longer; with the headers it fits into a document."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message, since when it is dead, which queue it came from and why; `body` is empty where only lists are made.

    `headers` are the message's own and those of the broker, which begin with `x-`. Ids of an item and a task are those
    that the headers name, if they do.
    """

    letter_id: UUID
    at: datetime
    queue: str
    reason: str
    type: str
    message_id: str
    content_type: str
    size_bytes: int
    headers: Headers
    item_id: UUID | None
    task_id: UUID | None
    body: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Tell whether the body was kept as it was."""
        return self.size_bytes <= LONGEST_BODY_BYTES

    @property
    def readable_headers(self) -> dict[str, Any]:
        """Give all headers as JSON can hold them: times as we write them, bytes in hexadecimal digits."""
        return {name: _readable(value) for name, value in self.headers.items()}

    @property
    def message(self) -> Message:
        """Give the message as it was before it died."""
        return Message(self.type, self.message_id, self.content_type, _own(self.headers), self.body)

    @classmethod
    def of(cls, message: Message, now: datetime) -> Self:
        """Make a letter of a message out of the queue `dead`; of the same message always the same letter."""
        headers = encodable(dict(message.headers))
        queue = _text(headers.get("x-dead-queue", "unknown"), 255)
        return cls(
            letter_id=_letter_id(queue, message, headers),
            at=now,
            queue=queue,
            reason=_text(headers.get("x-dead-reason", ""), 500),
            type=_text(message.type, 255),
            message_id=_text(message.message_id, 255),
            content_type=_text(message.content_type, 255),
            size_bytes=len(message.body),
            headers=headers,
            item_id=_uuid(headers.get("item_id")),
            task_id=_uuid(headers.get("task_id")),
            body=message.body[:LONGEST_BODY_BYTES],
        )

    @classmethod
    def read(cls, document: Document) -> Self:
        """Read a letter as it is stored."""
        headers, _ = pika.data.decode_table(document["headers"], 0)
        members = {**document, "letter_id": document["_id"], "headers": headers, "body": document.get("body", b"")}
        return cls(**{name: members[name] for name in cls.__slots__})

    def document(self) -> Document:
        """Give the letter as it is stored: its headers as the broker has them, which no document could hold."""
        pieces: list[bytes] = []
        pika.data.encode_table(pieces, dict(self.headers))
        members = {name: getattr(self, name) for name in self.__slots__ if name != "letter_id"}
        return {"_id": self.letter_id, **members, "headers": Binary(b"".join(pieces)), "body": Binary(self.body)}


class DeadLetters:
    """Every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._letters = database[COLLECTION]
        self._is_made = False

    def keep(self, letters: Sequence[DeadLetter]) -> None:
        """Write letters down; those that are there already stay as they are."""
        if not self._is_made:
            create_indexes(self._database)
            self._is_made = True
        insert_new(self._letters, [letter.document() for letter in letters], blob="body")

    def newest(self, most: int, condition: Mapping[str, Any] | None = None) -> list[DeadLetter]:
        """Give letters without their bodies, the newest first."""
        with unavailability():
            found = self._letters.find(condition or {}, {"body": 0}).sort([("at", -1), ("_id", -1)]).limit(most)
            return [DeadLetter.read(document) for document in found]

    def find(self, letter_id: UUID) -> DeadLetter | None:
        """Give a letter with its body."""
        with unavailability():
            document = self._letters.find_one({"_id": letter_id})
        return None if document is None else DeadLetter.read(document)

    def ids(self) -> list[UUID]:
        """Give the ids of all letters, the oldest first."""
        with unavailability():
            return [document["_id"] for document in self._letters.find({}, {"_id": 1}).sort([("at", 1), ("_id", 1)])]

    def count(self) -> int:
        """Count the letters, from the collection's own counter."""
        with unavailability():
            return self._letters.estimated_document_count()

    def remove(self, letter_ids: Iterable[UUID]) -> int:
        """Throw letters out; gives how many there were."""
        with unavailability():
            return self._letters.delete_many({"_id": {"$in": list(letter_ids)}}).deleted_count

    def purge(self) -> int:
        """Throw all letters out; gives how many there were."""
        with unavailability():
            return self._letters.delete_many({}).deleted_count


def _letter_id(queue: str, message: Message, headers: Headers) -> UUID:
    digest = hashlib.sha256(message.body)
    digest.update(repr((queue, message.type, message.message_id, sorted(_own(headers).items()))).encode())
    return uuid5(NAMESPACE_OID, digest.hexdigest())


def _own(headers: Headers) -> Headers:
    """Leave out what the broker and the undertaker have written."""
    return {name: value for name, value in headers.items() if not name.startswith(OF_THE_BROKER)}


def _readable(value: object) -> Any:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return write_instant(value.replace(tzinfo=value.tzinfo or UTC))
        case dict():
            return {str(name): _readable(inner) for name, inner in value.items()}
        case list():
            return [_readable(inner) for inner in value]
        case _:
            return value


def _text(value: object, most: int) -> str:
    return str(value)[:most].encode("utf-8", "replace").decode()


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
