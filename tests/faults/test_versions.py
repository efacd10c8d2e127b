"""Messages of a newer version beside ours, as in the middle of an upgrade: none is lost, and each says what it was."""

from collections import Counter
from collections.abc import Callable

from common.broker import parameters
from common.facts import UrlSubmitted
from common.items import Item
from common.ledger import Ledger
from common.message import Message
from common.publisher import Publisher
from tests.accounts import check_accounts, check_pixels
from tests.faults.world import World
from tests.fleet import eventually
from tests.some_facts import failed, fetched, grayscaled, hashed

BODY = b"the bytes of an image"
NEWER: dict[int, tuple[str, Callable[[Item], Message]]] = {
    1: ("fetcher", lambda item: UrlSubmitted(item).to_message()),
    2: ("hasher grayscaler", lambda item: fetched(item, BODY).to_message()),
    3: ("aggregator", lambda item: hashed(item, BODY).to_message()),
    4: ("aggregator.gray", lambda item: grayscaled(item, BODY).to_message()),
    5: ("aggregator", lambda item: failed(item).to_message()),
}
LINES = 80


def test_what_is_of_a_newer_version_is_kept_and_its_item_ends(world: World) -> None:
    world.empty()
    ledger = Ledger(world.database)
    task_id = ledger.open_task(kind="url", name=None, refresh=False)
    items = ledger.add_items(task_id, 1, [f"{world.site}/{100 + line}/30" for line in range(LINES)])
    ledger.close_task(task_id, LINES)
    publisher = Publisher("tests", parameters(world.settings, "tests"), world.topology)
    kept: Counter[str] = Counter()
    newer = set()
    for line, item in enumerate(items):
        message = UrlSubmitted(item).to_message()
        if line % 10 in NEWER:
            queues, fact = NEWER[line % 10]
            message = fact(item).with_headers(version=2)
            kept.update(queues.split())
            newer.add(item.item_id)
        publisher.publish([world.topology.fact(message)])
    publisher.flush()
    publisher.close()
    eventually(lambda: world.finished() == LINES, what="all end")
    assert check_accounts(world.database, task_id, LINES) == {"error": len(newer), "success": LINES - len(newer)}
    check_pixels(world.database)
    ends = list(world.database["items"].find({"outcome": "error"}))
    assert {item["_id"] for item in ends} == newer
    assert {(item["reason"], item["detail"]) for item in ends} == {("poison", "version 2 is not known, only 1")}
    letters = world.database["dead_letters"]
    eventually(lambda: letters.count_documents({}) == kept.total(), what="all are kept")
    assert Counter(letter["queue"] for letter in letters.find()) == kept
    assert {letter["reason"] for letter in letters.find()} == {"version 2 is not known, only 1"}
