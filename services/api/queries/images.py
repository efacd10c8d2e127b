"""Stored images: their metadata, their bytes, and the URLs they were found under."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Database, Document, unavailability
from common.items import Outcome
from services.api.queries.newest import Page, Position, after, cut

MOST_URLS = 1_000
METADATA = dict.fromkeys(
    ("width", "height", "length_bytes", "gray_bytes", "format", "mode", "orientation", "inserted_at"), 1
)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The metadata of an image; `md5` is of its bytes as received, `orientation` as EXIF counts it."""

    md5: str
    width: int
    height: int
    length_bytes: int
    gray_bytes: int
    format: str
    mode: str
    orientation: int
    inserted_at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """An item that gave the image."""

    url: str
    item_id: UUID
    task_id: UUID
    outcome: Outcome
    finished_at: datetime | None


def find_image(database: Database, md5: str) -> StoredImage | None:
    """Give the image's metadata."""
    with unavailability():
        document = database["images"].find_one({"_id": md5}, METADATA)
    return _image(document) if document else None


def newest_images(database: Database, limit: int, position: Position | None) -> Page[StoredImage]:
    """Give a page of images, newest first."""
    with unavailability():
        cursor = database["images"].find(after(position, "inserted_at"), METADATA)
        documents = list(cursor.sort([("inserted_at", -1), ("_id", -1)]).limit(limit + 1))
    images = [_image(document) for document in documents]
    return cut(((image, Position(image.inserted_at, image.md5)) for image in images), limit)


def findings(database: Database, md5: str) -> tuple[tuple[Finding, ...], bool]:
    """Give the items that gave the image, up to 1,000, and whether there are more."""
    fields = {"url": 1, "task_id": 1, "outcome": 1, "finished_at": 1}
    with unavailability():
        documents = list(database["items"].find({"md5": md5}, fields).limit(MOST_URLS + 1))
    return tuple(_finding(document) for document in documents[:MOST_URLS]), len(documents) > MOST_URLS


def random_md5(database: Database) -> str | None:
    """Give the MD5 of an image taken at random, None when none is stored."""
    with unavailability():
        documents = list(database["images"].aggregate([{"$sample": {"size": 1}}, {"$project": {"_id": 1}}]))
    return str(documents[0]["_id"]) if documents else None


def gray_png(database: Database, md5: str) -> bytes | None:
    """Give the gray version."""
    return _bytes(database, "grays", md5, "png")


def original_body(database: Database, md5: str) -> bytes | None:
    """Give the bytes as received; None also when originals are not kept."""
    return _bytes(database, "originals", md5, "body")


def has_gray(database: Database, md5: str) -> bool:
    """Tell whether the gray version is there, without reading it."""
    return _has(database, "grays", md5)


def has_original(database: Database, md5: str) -> bool:
    """Tell whether the bytes as received are there, without reading them."""
    return _has(database, "originals", md5)


def _bytes(database: Database, collection: str, md5: str, field: str) -> bytes | None:
    with unavailability():
        document = database[collection].find_one({"_id": md5}, {field: 1})
    return bytes(document[field]) if document else None


def _has(database: Database, collection: str, md5: str) -> bool:
    with unavailability():
        return database[collection].find_one({"_id": md5}, {"_id": 1}) is not None


def _image(document: Document) -> StoredImage:
    return StoredImage(md5=document["_id"], **{name: document[name] for name in METADATA})


def _finding(document: Document) -> Finding:
    return Finding(
        url=document["url"],
        item_id=document["_id"],
        task_id=document["task_id"],
        outcome=Outcome(document["outcome"]),
        finished_at=document.get("finished_at"),
    )
