"""What becomes of a message whose host is not to be asked now."""

import time
from collections.abc import Iterator

import pytest

from common.errors import Postponed
from common.facts import ItemFailed, UrlSubmitted
from common.handling import Stage
from common.message import Message, Publication
from common.reasons import Reason
from common.topology import Topology
from tests.some_facts import new_item

ITEM = new_item()
MESSAGE = UrlSubmitted(ITEM).to_message()
STAGE = Stage("fetcher", Topology(delays_seconds=(5, 30, 300)))


def postponed(message: Message = MESSAGE, *, after: float = 40, most: float = 3_600) -> Publication:
    def handler(_message: Message) -> Iterator[Message]:
        raise Postponed(Reason.RATE_LIMITED, "left alone", after_seconds=after, most_seconds=most, status=429)

    (publication,) = STAGE.settle(handler, message)
    return publication


def ms(seconds: float) -> int:
    return int(1000 * seconds)


@pytest.mark.parametrize(("after", "delay"), [(0.1, 5), (5, 5), (40, 30), (900, 300)])
def test_it_comes_back_when_its_time_has_come(after: float, delay: int) -> None:
    before = time.time()
    again = postponed(after=after)
    assert (again.exchange, again.routing_key) == (f"graymill.delay.{delay}s", "fetcher")
    assert ms(before + after) <= again.message.headers["not_before_ms"] <= ms(time.time() + after)
    assert UrlSubmitted.from_message(again.message).item == ITEM


@pytest.mark.parametrize("attempt", [1, 3, 4])
def test_that_is_no_try_of_it(attempt: int) -> None:
    again = postponed(MESSAGE.with_headers(attempt=attempt))
    assert again.message.headers["attempt"] == attempt


def test_it_is_put_off_for_so_long_in_all_and_then_ends_for_the_reason() -> None:
    first = postponed()
    since = first.message.headers["postponed_ms"]
    assert abs(since - ms(time.time())) < 5_000
    again = postponed(MESSAGE.with_headers(postponed_ms=since - ms(3_500), attempt=2))
    assert again.message.headers["postponed_ms"] == since - ms(3_500)
    end = postponed(MESSAGE.with_headers(postponed_ms=since - ms(3_600), attempt=2))
    expected = ItemFailed(ITEM, "fetcher", Reason.RATE_LIMITED, "left alone", 429, attempts=2)
    assert ItemFailed.from_message(end.message) == expected


def test_what_only_waits_for_its_turn_may_do_so_for_ever() -> None:
    assert postponed(MESSAGE.with_headers(postponed_ms=1), most=float("inf")).exchange == "graymill.delay.30s"


@pytest.mark.parametrize("since", ["long ago", None, True, 2.5, 2**62])
def test_a_moment_that_is_none_counts_as_now(since: object) -> None:
    again = postponed(MESSAGE.with_headers(postponed_ms=since))
    assert abs(again.message.headers["postponed_ms"] - ms(time.time())) < 5_000


def test_a_message_is_brought_back_later_with_all_that_it_had() -> None:
    (again,) = STAGE.later(MESSAGE.with_headers(attempt=3), 7)
    assert again.exchange == "graymill.delay.5s"
    assert again.message.headers["attempt"] == 3
    [once_more] = STAGE.early(again.message)
    assert (once_more.exchange, once_more.message.headers["attempt"]) == ("graymill.delay.5s", 3)
    assert STAGE.early(once_more.message) == []
    assert STAGE.early(MESSAGE) == []
