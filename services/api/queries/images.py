"""Stored images: their metadata, their bytes, and the URLs they were found under.

One that is marked as removed is only there if an item has it again; one that is not marked costs no second question.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Database, Document, unavailability
from common.deletion import held, is_removed
from common.items import Outcome

MOST_URLS = 1_000
MEASURED = ("width", "height", "length_bytes", "gray_bytes", "format", "mode", "orientation", "inserted_at")
METADATA = dict.fromkeys(("url", *MEASURED), 1)
WITH_REMOVAL = {**METADATA, "removed_at": 1}
FINDING = dict.fromkeys(("url", "task_id", "outcome", "finished_at"), 1)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The metadata of an image; `md5` is of its bytes as received, `orientation` as EXIF counts it.

    `url` is where it was first found.
    """

    md5: str
    url: str | None
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
    document = find_stored(database, "images", md5, METADATA)
    return stored_image(document) if document else None


def find_images(database: Database, md5s: Collection[str]) -> dict[str, StoredImage]:
    """Give the metadata of images that items have, by their MD5."""
    with unavailability():
        documents = database["images"].find({"_id": {"$in": list(md5s)}}, METADATA)
        return {document["_id"]: stored_image(document) for document in documents}


def find_present(database: Database, md5s: Collection[str]) -> dict[str, StoredImage]:
    """Give the metadata of those of the images that are there, by their MD5."""
    with unavailability():
        documents = list(database["images"].find({"_id": {"$in": list(md5s)}}, WITH_REMOVAL))
    return {document["_id"]: stored_image(document) for document in present(database, documents)}


def present(database: Database, documents: Iterable[Document]) -> list[Document]:
    """Leave out the documents, with their `removed_at`, of images that were removed."""
    found = list(documents)
    marked = [document["_id"] for document in found if "removed_at" in document]
    gone = set(marked) - held(database, marked) if marked else set()
    return [document for document in found if document["_id"] not in gone]


def findings(
    database: Database, md5: str, after: UUID | None = None, most: int = MOST_URLS
) -> tuple[tuple[Finding, ...], bool]:
    """Give items that gave the image, by host and id, from the one after this id on; and whether there are more."""
    found: list[Document] = []
    for further in _after(database, after):
        if len(found) <= most:
            with unavailability():
                documents = database["items"].find({"md5": md5, **further}, FINDING)
                found += documents.sort([("host", 1), ("_id", 1)]).limit(most + 1 - len(found))
    return tuple(_finding(document) for document in found[:most]), len(found) > most


def _after(database: Database, item_id: UUID | None) -> list[Document]:
    """Give the filters for what comes after an item: those of its host, and those of the hosts that follow."""
    if item_id is None:
        return [{}]
    with unavailability():
        last = database["items"].find_one({"_id": item_id}, {"host": 1})
    if last is None:
        return []
    host = last.get("host")
    return [{"host": host, "_id": {"$gt": item_id}}, {"host": {"$gt": host or ""}}]


def random_md5(database: Database) -> str | None:
    """Give the MD5 of an image taken at random, None when none is stored."""
    sample: list[Document] = [{"$sample": {"size": 1}}, {"$project": {"removed_at": 1}}]
    # A sample of all is cheap; one of some, after a removed image was met, is a look at each.
    for among in ({}, {"removed_at": None}):
        with unavailability():
            documents = list(database["images"].aggregate([{"$match": among}, *sample] if among else sample))
        if documents and not is_removed(database, documents[0]):
            return str(documents[0]["_id"])
    return None


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


def find_stored(database: Database, collection: str, md5: str, fields: Document) -> Document | None:
    """Give these fields of the image's document in a collection."""
    documents = database[collection]
    with unavailability():
        document = documents.find_one({"_id": md5, "removed_at": None}, fields)
        if document is None and held(database, [md5]):
            document = documents.find_one({"_id": md5}, fields)
    return document


def _bytes(database: Database, collection: str, md5: str, field: str) -> bytes | None:
    document = find_stored(database, collection, md5, {field: 1})
    return bytes(document[field]) if document else None


def _has(database: Database, collection: str, md5: str) -> bool:
    return find_stored(database, collection, md5, {"_id": 1}) is not None


def stored_image(document: Document) -> StoredImage:
    """Read an image as the database has it, with its METADATA."""
    return StoredImage(document["_id"], document.get("url"), **{name: document[name] for name in MEASURED})


def _finding(document: Document) -> Finding:
    return Finding(
        url=document["url"],
        item_id=document["_id"],
        task_id=document["task_id"],
        outcome=Outcome(document["outcome"]),
        finished_at=document.get("finished_at"),
    )
