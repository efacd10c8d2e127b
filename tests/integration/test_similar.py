"""Images that look alike, over HTTP: all within the distance, from the index alone, and never more than is bounded."""

import random
from typing import Any

import pytest
from bson import Int64
from flask.testing import FlaskClient

from common.database import Database, Document
from common.multi_index import DEFAULT_DISTANCE, HASH_BITS, MOST_DISTANCE, band_keys, neighbours
from services.api.queries.similar import similar_images
from tests.api_world import NOON, World

SEED = 20240531
IMAGES = 3_000
UNIQUE = 1_000


def put(database: Database, values: list[int]) -> dict[str, int]:
    """Store images that have these hashes; gives the hashes by MD5."""
    hashes = {f"{number:032x}": value for number, value in enumerate(values)}
    database["images"].insert_many(document(md5, value) for md5, value in hashes.items())
    return hashes


def document(md5: str, value: int) -> Document:
    facts = {"width": 3, "height": 2, "length_bytes": 9, "gray_bytes": 9, "format": "PNG", "mode": "RGB"}
    hashed = {"perceptual_hash": Int64(value), "perceptual_bands": band_keys(value)}
    return {"_id": md5, **facts, "orientation": 1, "inserted_at": NOON, **hashed}


def flipped(value: int, bits: int, chance: random.Random) -> int:
    return value ^ sum(1 << bit for bit in chance.sample(range(HASH_BITS), bits))


@pytest.fixture
def hashes(database: Database) -> dict[str, int]:
    """Store images of which two thirds were made of others, by a few bits."""
    chance = random.Random(SEED)
    values = [chance.getrandbits(HASH_BITS) for _ in range(UNIQUE)]
    values += [flipped(chance.choice(values), chance.randrange(16), chance) for _ in range(IMAGES - UNIQUE)]
    return put(database, values)


def by_comparing_all(hashes: dict[str, int], md5: str, distance: int) -> dict[str, int]:
    found = {other: (value ^ hashes[md5]).bit_count() for other, value in hashes.items() if other != md5}
    return {other: differing for other, differing in found.items() if differing <= distance}


def asked(client: FlaskClient, md5: str, **arguments: object) -> dict[str, Any]:
    answer = client.get(f"/image/{md5}/similar", query_string=arguments)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


@pytest.mark.parametrize("distance", range(MOST_DISTANCE + 1))
def test_all_within_the_distance_are_found_and_no_other(
    client: FlaskClient, hashes: dict[str, int], distance: int
) -> None:
    some_found = 0
    for md5 in random.Random(distance).sample(sorted(hashes), 40):
        answer = asked(client, md5, distance=distance, limit=100)
        found = {image["md5"]: image["distance"] for image in answer["images"]}
        assert found == by_comparing_all(hashes, md5, distance)
        assert answer["complete"]
        assert list(found.values()) == sorted(found.values())
        some_found += len(found)
    assert some_found


def test_the_answer_says_what_was_asked_and_where_the_images_are(client: FlaskClient, database: Database) -> None:
    md5, near, *_far = put(database, [0, 0b111, 2**HASH_BITS - 1])
    assert asked(client, md5) == {
        "md5": md5,
        "perceptual_hash": "0" * 16,
        "distance": DEFAULT_DISTANCE,
        "images": [{"md5": near, "distance": 3, "links": {"self": f"/images/{near}", "gray": f"/image/{near}"}}],
        "complete": True,
    }


def test_the_nearest_are_told_first_and_a_limit_is_said(client: FlaskClient, database: Database) -> None:
    md5, *others = put(database, [0, *(2**bits - 1 for bits in range(8)), 0, 0])
    answer = asked(client, md5, distance=8, limit=5)
    assert [image["distance"] for image in answer["images"]] == [0, 0, 0, 1, 2]
    assert not answer["complete"]
    assert len(asked(client, md5, distance=8, limit=len(others))["images"]) == len(others)
    assert asked(client, md5, distance=8, limit=len(others))["complete"]
    assert asked(client, md5, distance=0, limit=3)["complete"]


def test_when_there_are_too_many_candidates_the_nearest_are_found_still(database: Database) -> None:
    chance = random.Random(SEED)
    near = [flipped(0, 2, chance) for _ in range(20)]
    # They share a band with 0 once a bit of it is flipped, and are far away.
    far = [chance.getrandbits(HASH_BITS - 21) << 21 | 1 << chance.randrange(21) for _ in range(500)]
    md5, *_others = put(database, [0, *near, *far])
    found = similar_images(database, md5, 0, distance=8, limit=100, most_candidates=100)
    assert not found.complete
    assert [image.distance for image in found.images[:20]] == [2] * 20
    assert similar_images(database, md5, 0, distance=8, limit=100, most_candidates=10_000).complete


def test_no_document_is_read_to_tell_the_candidates(database: Database, hashes: dict[str, int]) -> None:
    keys = [key for flips in range(3) for key in neighbours(next(iter(hashes.values())), 8, flips)]
    find = {
        "find": "images",
        "filter": {"perceptual_bands": {"$in": keys}},
        "projection": {"_id": 0, "perceptual_hash": 1},
    }
    statistics = database.command("explain", find, verbosity="executionStats")["executionStats"]
    assert statistics["totalDocsExamined"] == 0
    assert 0 < statistics["nReturned"] < IMAGES / 10
    assert statistics["totalKeysExamined"] < 2 * (len(keys) + statistics["nReturned"])


def test_an_image_without_a_hash_is_told_from_one_that_is_not_stored(client: FlaskClient, world: World) -> None:
    flat = world.image(b"flat")
    for md5, sentence in ((flat, "no perceptual hash"), ("0" * 32, "No image with this MD5"), ("x", "32 digits")):
        answer = client.get(f"/image/{md5}/similar")
        assert answer.status_code == 404
        assert sentence in answer.json["detail"]


@pytest.mark.parametrize("arguments", ["distance=12", "distance=-1", "distance=x", "limit=0", "limit=101"])
def test_what_cannot_be_asked_is_refused(client: FlaskClient, database: Database, arguments: str) -> None:
    (md5,) = put(database, [0])
    answer = client.get(f"/image/{md5}/similar?{arguments}")
    assert answer.status_code == 422
    assert arguments.partition("=")[0] in answer.json["detail"]
