"""One image per MD5 and one outcome per item under several aggregators at once (P3)."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from common.database import Database
from services.aggregator.join import Join
from tests.join_world import Fact, counts, submitted, take
from tests.some_facts import grayscaled, hashed

AGGREGATORS = 4
CONTENTS = 500
COPIES = 4


class Deliveries:
    """Facts in a random order, taken in batches of one kind; some come twice."""

    def __init__(self, facts: list[Fact], chance: random.Random) -> None:
        self._facts = facts + chance.sample(facts, len(facts) // 10)
        self._chance = chance
        self._taking = threading.Lock()
        chance.shuffle(self._facts)

    def next_batch(self) -> list[Fact]:
        with self._taking:
            size = self._chance.randrange(1, 40)
            taken, self._facts = self._facts[:size], self._facts[size:]
            return taken


def work(database: Database, deliveries: Deliveries) -> None:
    join = Join(database)
    while batch := deliveries.next_batch():
        for kind in {type(fact) for fact in batch}:
            take(join, [fact for fact in batch if type(fact) is kind])


def test_four_aggregators_store_each_content_once_and_end_each_item_once(database: Database) -> None:
    seed = random.randrange(1 << 32)
    items = submitted(database, CONTENTS * COPIES)
    bodies = [number.to_bytes(2, "little") for number in range(CONTENTS)] * COPIES
    facts: list[Fact] = [hashed(item, body) for item, body in zip(items, bodies, strict=True)]
    facts += [grayscaled(item, body) for item, body in zip(items, bodies, strict=True)]
    deliveries = Deliveries(facts, random.Random(seed))
    with ThreadPoolExecutor(AGGREGATORS) as aggregators:
        for done in [aggregators.submit(work, database, deliveries) for _ in range(AGGREGATORS)]:
            done.result(timeout=120)
    assert counts(database, items[0].task_id) == (CONTENTS, CONTENTS * (COPIES - 1), 0, 0), f"seed {seed}"
    owners = {image["message_id"] for image in database["images"].find({}, {"message_id": 1})}
    claims = {item["message_id"] for item in database["items"].find({"outcome": "success"}, {"message_id": 1})}
    assert len(owners) == database["grays"].count_documents({}) == CONTENTS
    assert owners == claims, f"seed {seed}"
