"""Histograms of stored images, and which image a file name means."""

import re
from dataclasses import dataclass

from common.database import Database, unavailability
from common.facts import HISTOGRAM
from services.api.queries.images import find_stored
from services.api.statistics import Counts
from services.api.values import MD5_CHARACTERS

LOOKED_AT = 100
"""So many of the items that gave an image of some name are looked at, the latest first."""


@dataclass(frozen=True, slots=True)
class Others:
    """Further images of the same file name, latest first; `more` says that not all its items were looked at."""

    md5s: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An image and its histogram. `others` is None when the image was asked for by its MD5, and never changes."""

    md5: str
    counts: Counts
    others: Others | None = None


def find_histogram(database: Database, image: str) -> Found | None:
    """Give the image of this MD5, or else the latest one whose URL had this file name. No pixel is read."""
    counts = _counts(database, image) if re.fullmatch(MD5_CHARACTERS, image) else None
    return _find_by_name(database, image) if counts is None else Found(image, counts)


def _find_by_name(database: Database, name: str) -> Found | None:
    with unavailability():
        found = database["items"].find({"file_name": name}, {"_id": 0, "md5": 1})
        documents = list(found.sort("finished_at", -1).limit(LOOKED_AT + 1))
    if not documents:
        return None
    latest, *others = dict.fromkeys(document["md5"] for document in documents[:LOOKED_AT])
    counts = _counts(database, latest)
    return Found(latest, counts, Others(tuple(others), len(documents) > LOOKED_AT)) if counts else None


def _counts(database: Database, md5: str) -> Counts | None:
    document = find_stored(database, "images", md5, {"_id": 0, "histogram": 1})
    return HISTOGRAM.unpack(document["histogram"]) if document else None
