"""The join against a real MongoDB: every order of what the stages tell gives each item its one outcome."""

import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from common.database import Database
from common.facts import HISTOGRAM
from common.handling import Stage
from common.items import Item
from common.ledger import Ledger
from common.reasons import Reason
from common.topology import Topology
from services.aggregator.completion import Completions
from services.aggregator.handler import Aggregator
from services.aggregator.join import Join
from tests.join_world import counts, item_of, left_behind, submitted, take
from tests.some_facts import failed, grayscaled, hashed, known, md5_of

BODY = b"\x40 an image's bytes"
OTHER_BODY = b"\x80 other bytes from the same URL"


@pytest.fixture
def join(database: Database) -> Join:
    return Join(database)


def deliver(join: Join, item: Item, order: str) -> None:
    """Take facts one by one: h(ash), g(ray), f(ailure), k(nown by URL); capitals are of another download."""
    facts = {
        "h": hashed(item, BODY),
        "g": grayscaled(item, BODY),
        "H": hashed(item, OTHER_BODY),
        "G": grayscaled(item, OTHER_BODY),
        "f": failed(item),
        "k": known(item, "0" * 32),
    }
    for letter in order:
        take(join, [facts[letter]])


@pytest.mark.parametrize("order", ["hg", "gh", "hhgg", "gghh", "ghgh", "hghg", "ghhg", "hgf", "ghf", "hgk", "ghk"])
def test_both_halves_in_any_order_end_as_success(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    gray, md5 = grayscaled(item, BODY), md5_of(BODY)
    ended = item_of(database, item)
    assert (ended["outcome"], ended["md5"], ended["message_id"]) == ("success", md5, gray.message_id)
    assert "hashes" not in ended
    image = database["images"].find_one({"_id": md5})
    assert image is not None
    assert image["inserted_at"] <= ended["finished_at"]
    expected = {name: asdict(gray)[name] for name in ("width", "height", "format", "mode", "orientation", "message_id")}
    expected |= {"item_id": item.item_id, "task_id": item.task_id, "url": item.url}
    expected |= {"length_bytes": len(BODY), "gray_bytes": len(gray.png), "histogram": HISTOGRAM.pack(*gray.histogram)}
    assert {name: image[name] for name in expected} == expected
    assert database["grays"].find_one({"_id": md5}) == {"_id": md5, "png": gray.png}
    assert database["halves"].count_documents({}) == 0
    assert counts(database, item.task_id) == (1, 0, 0, 0)


@pytest.mark.parametrize("order", ["f", "fhg", "fgh", "hfg", "ff", "fk"])
def test_a_failure_before_the_claim_ends_as_error_without_an_image(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    ended = item_of(database, item)
    assert ended["outcome"] == "error"
    assert (ended["reason"], ended["detail"], ended["stage"], ended["attempts"]) == (
        "truncated",
        "cut at half",
        "grayscaler",
        1,
    )
    assert "status" not in ended
    assert "message_id" not in ended
    assert database["images"].count_documents({}) == database["grays"].count_documents({}) == 0
    assert counts(database, item.task_id) == (0, 0, 1, 0)


@pytest.mark.parametrize("order", ["gfh", "gkh"])
def test_a_half_whose_item_has_ended_is_not_kept(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    assert database["halves"].count_documents({}) == 0


@pytest.mark.parametrize("order", ["k", "khg", "hkg", "gkh", "kf", "kk"])
def test_a_known_url_ends_as_duplicate_without_an_image_of_its_own(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    ended = item_of(database, item)
    assert (ended["outcome"], ended["md5"], ended["known_by"]) == ("duplicate", "0" * 32, "url")
    assert database["images"].count_documents({}) == 0


@pytest.mark.parametrize(("order", "body"), [("hgHG", BODY), ("HhGg", OTHER_BODY), ("gHGh", OTHER_BODY), ("Hhg", BODY)])
def test_of_two_downloads_of_an_item_the_first_complete_one_counts(
    join: Join, database: Database, order: str, body: bytes
) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    assert item_of(database, item)["md5"] == md5_of(body)
    assert [image["_id"] for image in database["images"].find()] == [md5_of(body)]
    assert counts(database, item.task_id) == (1, 0, 0, 0)


@pytest.mark.parametrize("order", ["h", "g", "hH", "gG", "hG", "gH", "ggHH"])
def test_halves_of_two_downloads_are_never_paired(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, order)
    assert item_of(database, item)["outcome"] == "pending"
    assert database["images"].count_documents({}) == 0
    assert counts(database, item.task_id) == (0, 0, 0, 1)


def retried(database: Database, item: Item) -> Item:
    ((again,),) = Ledger(database).reopen(item.task_id, [Reason.TRUNCATED])
    return again


@pytest.mark.parametrize("order", ["h", "g", "hg", "gh", "f", "k", "hgf"])
def test_messages_of_an_earlier_round_change_nothing(join: Join, database: Database, order: str) -> None:
    (item,) = submitted(database)
    deliver(join, item, "f")
    again = retried(database, item)
    deliver(join, item, order)
    ended = item_of(database, item)
    assert (ended["outcome"], ended["round"], "hashes" in ended) == ("pending", 1, False)
    deliver(join, again, "hg")
    assert item_of(database, item)["message_id"] == grayscaled(again, BODY).message_id
    assert counts(database, item.task_id) == (1, 0, 0, 0)
    assert [past["reason"] for past in item_of(database, item)["history"]] == ["truncated"]


def test_an_item_nobody_submitted_leaves_nothing(join: Join, database: Database) -> None:
    for order in ("hg", "gh", "f", "k"):
        deliver(join, Item(uuid4(), uuid4(), "https://images.example/"), order)
    for name in ("items", "images", "grays", "halves"):
        assert database[name].count_documents({}) == 0


@pytest.mark.parametrize("order", ["hg", "gh"])
def test_of_two_items_of_the_same_bytes_one_is_a_duplicate(join: Join, database: Database, order: str) -> None:
    first, second = submitted(database, 2)
    deliver(join, first, order)
    before = left_behind(database, first)
    deliver(join, second, order)
    ended = item_of(database, second)
    assert (ended["outcome"], ended["md5"], ended["known_by"]) == ("duplicate", md5_of(BODY), "md5")
    assert left_behind(database, first) == before
    assert database["images"].count_documents({}) == 1
    assert counts(database, first.task_id) == (1, 1, 0, 0)


@pytest.mark.parametrize("gray_first", [False, True])
def test_a_batch_may_hold_the_same_bytes_and_the_same_message_several_times(
    join: Join, database: Database, gray_first: bool
) -> None:
    items = submitted(database, 7)
    bodies = [BODY] * 4 + [OTHER_BODY] * 2 + [b"\x01 alone"]
    hashes = [hashed(item, body) for item, body in zip(items, bodies, strict=True)] * 2
    grays = [grayscaled(item, body) for item, body in zip(items, bodies, strict=True)] * 2
    for facts in (grays, hashes) if gray_first else (hashes, grays):
        take(join, facts)
    assert counts(database, items[0].task_id) == (3, 4, 0, 0)
    assert {image["_id"] for image in database["images"].find()} == {md5_of(body) for body in bodies}
    assert database["halves"].count_documents({}) == 0


def test_a_mixed_batch_ends_every_item_by_its_own_facts(database: Database, join: Join) -> None:
    good, bad, old, unread, both = submitted(database, 5)
    facts = [failed(both), grayscaled(good, BODY), failed(bad), known(old, "0" * 32)]
    facts += [grayscaled(both, OTHER_BODY), hashed(good, BODY), hashed(both, OTHER_BODY)]
    messages = [fact.to_message() for fact in facts]
    malformed = hashed(unread, BODY).to_message().with_headers(md5="0" * 31)
    given = Aggregator(Stage("aggregator", Topology()), join, Completions(database)).handle(
        [malformed, *messages, replace(messages[0], type="nobody.knows")]
    )
    assert [len(publications) for publications in given] == [2, *[0] * len(messages), 2]
    assert [publication.exchange for publication in given[0]] == ["graymill.dead", "graymill"]
    # A success in the same batch is worth more than a failure: `both` has an image.
    assert counts(database, good.task_id) == (2, 1, 1, 1)
    assert item_of(database, unread)["outcome"] == "pending"


@pytest.mark.parametrize("order", ["hhgg", "gghh", "ghghff", "ffhg", "kkff", "HhGgHG"])
def test_the_log_tells_every_outcome_once(
    join: Join, database: Database, caplog: pytest.LogCaptureFixture, order: str
) -> None:
    (item,) = submitted(database)
    with caplog.at_level(logging.INFO, "services.aggregator"):
        deliver(join, item, order)
    told = [record for record in caplog.records if record.about.get("outcome")]
    assert [record.about["item_id"] for record in told] == [item.item_id]
    assert told[0].message.startswith(item_of(database, item)["outcome"])
    assert told[0].message.endswith(f"url={item.url}")


def test_two_aggregators_in_the_same_millisecond_tell_an_outcome_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    (item,) = submitted(database)
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    with caplog.at_level(logging.INFO, "services.aggregator"):
        for _ in range(2):
            deliver(Join(database, now=lambda: moment), item, "f")
    assert len([record for record in caplog.records if record.about["item_id"] == item.item_id]) == 1
