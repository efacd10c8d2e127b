"""The ledger says how long an item waited for each stage and how long each worked, whichever way the item took."""

from collections.abc import Iterator

import pytest

from common.errors import Permanent
from common.facts import ImageFetched, ImageGrayscaled, ImageHashed, ItemFailed, UrlSubmitted
from common.handling import Stage
from common.items import Item
from common.ledger import Ledger
from common.message import Message
from common.reasons import Reason
from common.topology import Topology
from services.aggregator.join import Join
from tests.join_world import item_of, submitted
from tests.some_facts import grayscaled, hashed

BODY = b"\x07 the bytes as received"


def halves(item: Item) -> tuple[ImageHashed, ImageGrayscaled]:
    """Take an item through the messages of the fetcher, the hasher and the grayscaler."""
    taken_up = UrlSubmitted.from_message(UrlSubmitted(item).to_message()).item
    image = ImageFetched.of(taken_up, BODY, "image/png").to_message()
    hash_, gray = (ImageFetched.from_message(image).item for _ in range(2))
    return (
        ImageHashed.from_message(hashed(hash_, BODY).to_message()),
        ImageGrayscaled.from_message(grayscaled(gray, BODY).to_message()),
    )


@pytest.mark.parametrize("hash_first", [True, False])
def test_an_image_was_waited_for_and_worked_on_three_times(database, hash_first):
    item = submitted(database)[0]
    join = Join(database)
    hash_, gray = halves(item)
    steps = [lambda: join.hashed([hash_]), lambda: join.grayscaled([gray])]
    for step in steps if hash_first else reversed(steps):
        step()
    took_ms = item_of(database, item)["took_ms"]
    assert len(took_ms) == 6
    assert all(0 <= duration_ms < 60_000 for duration_ms in took_ms)


def test_a_failure_was_worked_on_from_when_it_was_taken_up_and_a_retry_begins_anew(database):
    def fail(message: Message) -> Iterator[Message]:
        UrlSubmitted.from_message(message)
        raise Permanent(Reason.HTTP_4XX, "404 Not Found", status=404)
        yield

    item = submitted(database)[0]
    message = UrlSubmitted(item).to_message()
    long_ago = message.with_headers(steps="1000000000000")
    [publication] = Stage("fetcher", Topology()).settle(fail, long_ago)
    Join(database).failed([ItemFailed.from_message(publication.message)])
    waited_ms, *rest_ms = item_of(database, item)["took_ms"]
    assert waited_ms == 2**31 - 1
    assert len(rest_ms) == 3
    assert all(0 <= duration_ms < 60_000 for duration_ms in rest_ms)
    [[again]] = Ledger(database).reopen(item.task_id, [Reason.HTTP_4XX])
    document = item_of(database, again)
    assert "took_ms" not in document
    assert len(document["history"][0]["took_ms"]) == 4
