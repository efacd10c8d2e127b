"""What a fetcher does with an item, by what the ledger knows of it."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from common.database import Database
from common.facts import ImageFetched, ItemFailed, ItemKnown, UrlSubmitted
from common.handling import PutOff, Stage
from common.items import Item
from common.ledger import Ledger
from common.message import Message
from common.reasons import Reason
from common.topology import Topology
from samples.site import Site, serving
from services.fetcher.handler import Fetcher
from services.fetcher.known import Known
from tests.downloading import FORMATS, downloader

MD5 = "0" * 32


@pytest.fixture
def site() -> Iterator[Site]:
    with serving("127.0.0.2", 0) as site:
        yield site


@pytest.fixture
def fetcher(database: Database) -> Fetcher:
    return Fetcher(Stage("fetcher", Topology()), Known(database), downloader(), FORMATS)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def submitted(ledger: Ledger, *urls: str) -> list[Item]:
    return ledger.add_items(ledger.open_task(kind="url", name=None, refresh=False), 1, urls)


def stored(database: Database, item: Item) -> None:
    database["items"].update_one({"_id": item.item_id}, {"$set": {"outcome": "success", "md5": MD5}})


def handled(fetcher: Fetcher, *messages: Message) -> list[list[Message]]:
    """Give what each message leads to, what was put off included."""
    answers = fetcher.handle(messages)
    return [[each.message for each in (answer.work() if isinstance(answer, PutOff) else answer)] for answer in answers]


def told(fetcher: Fetcher, item: Item, *, refresh: bool = False) -> list[str]:
    [messages] = handled(fetcher, UrlSubmitted(item, refresh=refresh).to_message())
    return [message.type for message in messages]


def test_a_new_url_is_fetched(site: Site, fetcher: Fetcher, ledger: Ledger) -> None:
    [item] = submitted(ledger, f"{site.base_url}/40/30")
    [[message]] = handled(fetcher, UrlSubmitted(item).to_message())
    fact = ImageFetched.from_message(message)
    assert (fact.item, fact.content_type, fact.body[:3]) == (item, "image/jpeg", b"\xff\xd8\xff")


def test_what_another_task_has_stored_is_not_asked_for_again_unless_it_must(
    site: Site, fetcher: Fetcher, ledger: Ledger, database: Database
) -> None:
    url = f"{site.base_url}/40/30"
    [earlier], [item] = submitted(ledger, url), submitted(ledger, url)
    stored(database, earlier)
    [[message]] = handled(fetcher, UrlSubmitted(item).to_message())
    assert ItemKnown.from_message(message) == ItemKnown(item, MD5)
    assert site.memory.requests.counts() == {}
    assert told(fetcher, item, refresh=True) == [ImageFetched.NAME]


def test_a_line_repeated_inside_a_task_is_fetched_again(
    site: Site, fetcher: Fetcher, ledger: Ledger, database: Database
) -> None:
    url = f"{site.base_url}/40/30"
    first, second = submitted(ledger, url, url)
    stored(database, first)
    assert told(fetcher, second) == [ImageFetched.NAME]


def test_an_item_that_has_ended_or_is_in_another_round_or_is_unknown_gives_nothing(
    site: Site, fetcher: Fetcher, ledger: Ledger, database: Database
) -> None:
    ended, failed = submitted(ledger, f"{site.base_url}/40/30", f"{site.base_url}/41/30")
    stored(database, ended)
    failure = {"outcome": "error", "reason": Reason.TIMEOUT.value}
    database["items"].update_one({"_id": failed.item_id}, {"$set": failure})
    [[reopened]] = list(ledger.reopen(failed.task_id, [Reason.TIMEOUT]))
    unknown = Item(uuid.uuid4(), uuid.uuid4(), f"{site.base_url}/42/30")
    assert told(fetcher, ended) == []
    assert told(fetcher, failed) == []
    assert told(fetcher, unknown) == []
    assert site.memory.requests.counts() == {}
    assert told(fetcher, reopened) == [ImageFetched.NAME]


def test_a_batch_of_several_tasks_is_answered_in_its_order(
    site: Site, fetcher: Fetcher, ledger: Ledger, database: Database
) -> None:
    known, new, bad = (f"{site.base_url}/{path}" for path in ("40/30", "41/30", "status/404"))
    for _ in range(20):  # of one URL there are more answers than the batch has URLs
        [earlier] = submitted(ledger, known)
        stored(database, earlier)
    [again, fresh], [once_more, failing] = submitted(ledger, known, new), submitted(ledger, known, bad)
    batch = [UrlSubmitted(item).to_message() for item in (fresh, again, failing, once_more, earlier)]
    nonsense = replace(batch[0], headers={})
    types = [[message.type for message in messages] for messages in handled(fetcher, *batch, nonsense)]
    assert types == [
        [ImageFetched.NAME],
        [ItemKnown.NAME],
        [ItemFailed.NAME],
        [ItemKnown.NAME],
        [],
        [UrlSubmitted.NAME],
    ]
