"""A half of an image that is not what it says it is: refused by the aggregator, kept for people, and not stored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from common.database import Database
from common.message import Message
from common.settings import Settings
from common.topology import Topology
from tests.fleet import eventually, fleet
from tests.integration.runtime import Broker
from tests.join_world import item_of, submitted
from tests.some_facts import grayscaled, hashed

WRONG: dict[str, Callable[[Message], Message]] = {
    "damaged pixels": lambda gray: replace(gray, body=gray.body[:45] + b"?" + gray.body[46:]),
    "half of it": lambda gray: replace(gray, body=gray.body[: len(gray.body) // 2]),
    "another size than the header's": lambda gray: gray.with_headers(width=6, height=1),
    "no PNG": lambda gray: replace(gray, body=b"GIF89a" + bytes(100)),
}


def test_a_gray_half_that_is_none_is_refused_and_not_stored(
    database: Database, settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    good, *others = submitted(database, count=1 + len(WRONG))
    bodies = {item.item_id: f"{number} as received".encode() for number, item in enumerate((good, *others))}
    grays = [grayscaled(item, bodies[item.item_id]).to_message() for item in (good, *others)]
    messages = [hashed(item, bodies[item.item_id]).to_message() for item in (good, *others)]
    messages += [grays[0], *(spoil(gray) for spoil, gray in zip(WRONG.values(), grays[1:], strict=True))]
    Broker(settings, topology).put(messages)
    with fleet({"aggregator": 1}, environment, tmp_path):
        eventually(lambda: not database["items"].count_documents({"outcome": "pending"}), what="all have an outcome")
        eventually(lambda: database["dead_letters"].count_documents({}) == len(WRONG), what="the letters are kept")
        eventually(lambda: not database["halves"].count_documents({}), what="no half is left")
    ends = [(item_of(database, item)["stage"], item_of(database, item)["reason"]) for item in others]
    assert ends == [("aggregator.gray", "poison")] * len(WRONG)
    assert item_of(database, good)["outcome"] == "success"
    assert [image["item_id"] for image in database["images"].find()] == [good.item_id]
    assert database["grays"].count_documents({}) == 1
