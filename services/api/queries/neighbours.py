"""The images that were stored just before and just after one."""

from dataclasses import dataclass

from common.database import Database, Document, unavailability
from services.api.queries.images import StoredImage, present

STEPS = (1, 1_000)
"""So many are looked at; more only where the nearest were removed."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Their MD5s; None where there is none."""

    newer: str | None
    older: str | None


def neighbours(database: Database, image: StoredImage) -> Neighbours:
    """Give the image's neighbours in the order of the gallery."""
    return Neighbours(_nearest(database, image, "$gt", 1), _nearest(database, image, "$lt", -1))


def _nearest(database: Database, image: StoredImage, sign: str, direction: int) -> str | None:
    at = image.inserted_at
    same_time = {"inserted_at": at, "_id": {sign: image.md5}}
    query: Document = {"inserted_at": {f"{sign}e": at}, "$or": [{"inserted_at": {sign: at}}, same_time]}
    for most in STEPS:
        with unavailability():
            found = database["images"].find(query, {"removed_at": 1})
            documents = list(found.sort([("inserted_at", direction), ("_id", direction)]).limit(most))
        for document in present(database, documents):
            return str(document["_id"])
        if len(documents) < most:
            break
    return None
