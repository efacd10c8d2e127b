"""Writing documents that are the same whoever writes them."""

import pymongo.errors
from pymongo.collection import Collection

from common.database import Document, unavailability
from common.errors import Unavailable

DUPLICATE_KEY = 11000
BATCH_BYTES = 32 * 1024 * 1024
"""A batch is encoded whole before it is sent; the server takes 48 MB."""


class AlreadyThere(Exception):
    """A document with the same unique key is there."""


def insert_one(collection: Collection[Document], document: Document) -> None:
    """Insert a document. Raises AlreadyThere."""
    try:
        with unavailability():
            collection.insert_one(document)
    except pymongo.errors.DuplicateKeyError as error:
        raise AlreadyThere(str(document["_id"])) from error


def insert_new(collection: Collection[Document], documents: list[Document], *, blob: str | None = None) -> set[object]:
    """Insert what is not there yet; give the ids that were there. `blob` names the large field, to bound a batch."""
    present: set[object] = set()
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document[blob]) if blob else 0
        if size >= BATCH_BYTES:
            present |= _insert(collection, batch)
            batch, size = [], 0
    return present | _insert(collection, batch)


def _insert(collection: Collection[Document], documents: list[Document]) -> set[object]:
    if not documents:
        return set()
    with unavailability():
        try:
            collection.insert_many(documents, ordered=False)
        except pymongo.errors.BulkWriteError as error:
            errors = error.details["writeErrors"]
            if error.details["writeConcernErrors"]:
                raise Unavailable(f"MongoDB: {error.details['writeConcernErrors']}"[:300]) from error
            if any(write_error["code"] != DUPLICATE_KEY for write_error in errors):
                raise
            return {documents[write_error["index"]]["_id"] for write_error in errors}
    return set()
