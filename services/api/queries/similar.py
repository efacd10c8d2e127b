"""Stored images that look like one of them: those whose perceptual hash is within a distance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from common.database import Database, unavailability
from common.deletion import is_removed
from common.multi_index import band_keys, flips_for, neighbours
from services.api.queries.images import find_stored

MOST_CANDIDATES = 100_000
"""As many entries of the index are looked at for one question. A million images give some thousands at the most."""
CANDIDATES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Near:
    """An image, and in how many bits its hash differs."""

    md5: str
    distance: int


@dataclass(frozen=True, slots=True)
class Similar:
    """What was found, nearest first. `complete` tells whether that is every image within the distance."""

    perceptual_hash: int
    images: tuple[Near, ...]
    complete: bool


def perceptual_hash_of(database: Database, md5: str) -> int | None:
    """Give the image's hash, None when it has none or is not stored."""
    document = find_stored(database, "images", md5, {"perceptual_hash": 1})
    return document.get("perceptual_hash") if document else None


def similar_images(
    database: Database,
    md5: str,
    perceptual_hash: int,
    *,
    distance: int,
    limit: int,
    most_candidates: int = MOST_CANDIDATES,
) -> Similar:
    """Give the images other than `md5` whose hash is within the distance of this one, up to the limit."""
    hashes, all_found = _hashes_within(database, perceptual_hash, distance, most_candidates)
    images: list[Near] = []
    for near in _images_of(database, hashes, limit + 2):
        if near.md5 != md5:
            if len(images) == limit:
                return Similar(perceptual_hash, tuple(images), complete=False)
            images.append(near)
    return Similar(perceptual_hash, tuple(images), complete=all_found)


def _hashes_within(
    database: Database, perceptual_hash: int, distance: int, most_candidates: int
) -> tuple[dict[int, int], bool]:
    """Give the stored hashes within the distance, each with its own distance, and whether that is all of them.

    The nearest are looked up first, so that these are not what is missing when it becomes too many.
    """
    found: dict[int, int] = {}
    left = most_candidates
    for flips in flips_for(distance):
        keys = neighbours(perceptual_hash, distance, flips)
        with unavailability():
            # Nothing but these two fields is asked for, so the index alone is read.
            query = {"perceptual_bands": {"$in": keys}}
            cursor = database["images"].find(query, {"_id": 0, "perceptual_hash": 1}, batch_size=CANDIDATES_AT_ONCE)
            for document in cursor.limit(left):
                left -= 1
                differing = (document["perceptual_hash"] ^ perceptual_hash).bit_count()
                if differing <= distance:
                    found[document["perceptual_hash"]] = differing
        if left == 0:
            return found, False
    return found, True


def _images_of(database: Database, hashes: Mapping[int, int], most: int) -> Iterator[Near]:
    """Give the images that have these hashes, nearest first; of each distance no more than so many."""
    for distance in sorted(set(hashes.values())):
        # Each is the hash of an image at least. Its first band is told for the sake of the index.
        values = [value for value, differing in hashes.items() if differing == distance][:most]
        bands = [band_keys(value)[0] for value in values]
        query = {"perceptual_bands": {"$in": bands}, "perceptual_hash": {"$in": values}}
        with unavailability():
            found = database["images"].find(query, {"removed_at": 1})
            present = (document["_id"] for document in found if not is_removed(database, document))
            md5s = list(islice(present, most))
        yield from (Near(md5, distance) for md5 in md5s)
