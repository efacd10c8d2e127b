"""The hasher keeps each content once, to the byte, before it tells the hash."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from common.database import Database
from common.facts import ImageHashed
from common.handling import Stage
from common.message import Message
from common.topology import Topology
from services.hasher.handler import Hasher
from services.hasher.originals import Originals
from tests.some_facts import fetched, md5_of, new_item

BODIES = [bytes(range(256)), b"\0", b"two", b"three" * 100_000]


@pytest.fixture
def hasher(database: Database) -> Hasher:
    return Hasher(Stage("hasher", Topology()), Originals(database))


def messages(bodies: list[bytes]) -> list[Message]:
    return [fetched(new_item(), body).to_message() for body in bodies]


def stored(database: Database) -> dict[str, bytes]:
    return {document["_id"]: document["body"] for document in database["originals"].find()}


def test_each_content_is_kept_once_under_its_md5(hasher: Hasher, database: Database) -> None:
    hasher.handle(messages(BODIES[:3]))
    hasher.handle(messages([*BODIES, BODIES[0], BODIES[3]]))
    assert stored(database) == {hashlib.md5(body).hexdigest(): body for body in BODIES}


def test_the_hash_and_length_of_every_download_are_told(hasher: Hasher) -> None:
    batch = messages([*BODIES, BODIES[0]])
    told = [ImageHashed.from_message(publication.message) for (publication,) in hasher.handle(batch)]
    assert [(fact.md5, fact.length_bytes) for fact in told] == [
        (md5_of(message.body), len(message.body)) for message in batch
    ]
    assert [str(fact.message_id) for fact in told] == [message.message_id for message in batch]


def test_a_message_nobody_can_read_does_not_keep_its_neighbours(hasher: Hasher, database: Database) -> None:
    good, bad = messages(BODIES[:2])
    given = hasher.handle([replace(bad, message_id="no uuid"), good])
    assert [publication.exchange for publication in given[0]] == ["graymill.dead", "graymill"]
    assert [publication.routing_key for publication in given[1]] == ["image.hashed"]
    assert stored(database) == {md5_of(good.body): good.body}


def test_hashers_at_once_keep_each_content_once(database: Database) -> None:
    at_once = threading.Barrier(4)

    def keep() -> None:
        originals = Originals(database)
        at_once.wait(timeout=10)
        originals.keep({md5_of(body): body for body in BODIES})

    with ThreadPoolExecutor(4) as hashers:
        for done in [hashers.submit(keep) for _ in range(4)]:
            done.result(timeout=60)
    assert stored(database) == {md5_of(body): body for body in BODIES}


def test_nothing_is_kept_when_originals_are_not_wanted(database: Database) -> None:
    (given,) = Hasher(Stage("hasher", Topology()), None).handle(messages(BODIES[:1]))
    assert given[0].routing_key == "image.hashed"
    assert stored(database) == {}
