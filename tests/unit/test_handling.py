"""What becomes of a message, by what its handler does with it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from common.errors import ItemError, MalformedMessage, Permanent, Transient, Unavailable
from common.facts import ItemFailed, UrlSubmitted
from common.handling import Handler, Stage
from common.message import Message, Publication
from common.reasons import Reason
from common.topology import Topology
from tests.some_facts import fetched, new_item

ITEM = new_item()
MESSAGE = UrlSubmitted(ITEM).to_message()
STAGE = Stage("fetcher", Topology(delays_seconds=(5, 30, 300)))
UNREADABLE = MESSAGE.with_headers(item_id="no uuid")


def raising(error: Exception) -> Handler:
    def handler(_message: Message) -> Iterator[Message]:
        raise error

    return handler


def settle(error: Exception, message: Message = MESSAGE) -> list[Publication]:
    return STAGE.settle(raising(error), message)


def failure(publication: Publication) -> ItemFailed:
    assert publication.routing_key == "item.failed"
    return ItemFailed.from_message(publication.message)


def timed_out(after_seconds: float | None = None) -> Transient:
    return Transient(Reason.HTTP_5XX, "503 Service Unavailable", status=503, after_seconds=after_seconds)


def test_what_a_handler_yields_is_told_to_whom_it_concerns() -> None:
    facts = [fetched(ITEM, b"one").to_message(), fetched(ITEM, b"two").to_message()]
    publications = STAGE.settle(lambda _message: facts, MESSAGE)
    assert publications == [Publication("graymill", "image.fetched", fact) for fact in facts]


@pytest.mark.parametrize(("attempt", "delay"), [(1, 5), (2, 30), (3, 300)])
def test_a_transient_error_waits_longer_each_time(attempt: int, delay: int) -> None:
    before = time.time()
    (again,) = settle(timed_out(), MESSAGE.with_headers(attempt=attempt))
    assert (again.exchange, again.routing_key) == (f"graymill.delay.{delay}s", "fetcher")
    assert again.message.headers["attempt"] == attempt + 1
    assert before + delay - 0.001 <= again.message.headers["not_before_ms"] / 1000 <= time.time() + delay
    assert UrlSubmitted.from_message(again.message).item == ITEM


def test_a_message_on_its_first_try_needs_no_attempt_header() -> None:
    (again,) = settle(timed_out())
    assert again.message.headers["attempt"] == 2


@pytest.mark.parametrize(("asked", "delay"), [(0.2, 5), (5, 5), (29, 5), (31, 30), (86_400, 300)])
def test_a_wait_that_was_asked_for_is_granted(asked: float, delay: int) -> None:
    before = time.time()
    (again,) = settle(timed_out(after_seconds=asked))
    assert again.exchange == f"graymill.delay.{delay}s"
    assert again.message.headers["not_before_ms"] / 1000 >= before + asked - 0.001


def test_the_last_try_ends_the_item_with_reason_status_and_number_of_tries() -> None:
    (end,) = settle(timed_out(), MESSAGE.with_headers(attempt=4))
    expected = ItemFailed(ITEM, "fetcher", Reason.HTTP_5XX, "503 Service Unavailable", 503, attempts=4)
    assert failure(end) == expected


def test_what_comes_back_too_early_goes_round_without_counting() -> None:
    early = MESSAGE.with_headers(attempt=2, not_before_ms=int(1000 * (time.time() + 100)))
    (again,) = settle(AssertionError("must not be handled yet"), early)
    assert (again.exchange, again.routing_key) == ("graymill.delay.30s", "fetcher")
    assert again.message == early.with_headers(left_ms=again.message.headers["left_ms"])
    assert 69_000 < again.message.headers["left_ms"] < 70_000


def test_a_wait_by_a_clock_that_was_wrong_by_hours_is_over_after_as_long_as_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = time.time
    monkeypatch.setattr("common.handling.time.time", lambda: right() + 10_800)
    (again,) = settle(timed_out(after_seconds=40))
    monkeypatch.undo()
    assert (again.exchange, again.message.headers["left_ms"]) == ("graymill.delay.30s", 10_000)
    (again,) = settle(AssertionError("must not be handled yet"), again.message)
    assert (again.exchange, again.message.headers["left_ms"]) == ("graymill.delay.5s", 5_000)
    (again,) = settle(AssertionError("must not be handled yet"), again.message)
    assert (again.exchange, again.message.headers["left_ms"]) == ("graymill.delay.5s", 0)
    assert STAGE.settle(lambda _message: [], again.message) == []


def test_what_comes_back_in_time_is_handled() -> None:
    assert (
        STAGE.settle(lambda _message: [], MESSAGE.with_headers(attempt=2, not_before_ms=int(1000 * (time.time() - 1))))
        == []
    )


def test_what_comes_back_a_moment_early_is_handled_too() -> None:
    assert STAGE.settle(lambda _message: [], MESSAGE.with_headers(not_before_ms=int(1000 * (time.time() + 0.2)))) == []


@pytest.mark.parametrize("not_before", ["soon", None, [], b"1", 2**62, -1])
def test_a_time_that_is_none_is_no_reason_to_fall_over(not_before: object) -> None:
    assert STAGE.settle(lambda _message: [], MESSAGE.with_headers(not_before_ms=not_before)) == []


@pytest.mark.parametrize("attempt", ["3", 0, -1, None, True, 2.0])
def test_a_number_of_tries_that_is_none_counts_as_the_first(attempt: object) -> None:
    (again,) = settle(timed_out(), MESSAGE.with_headers(attempt=attempt))
    assert again.message.headers["attempt"] == 2


def test_a_permanent_error_ends_the_item_at_once() -> None:
    (end,) = settle(Permanent(Reason.HTTP_4XX, "404 Not Found", status=404))
    assert failure(end) == ItemFailed(ITEM, "fetcher", Reason.HTTP_4XX, "404 Not Found", 404, attempts=1)


def test_a_permanent_error_on_a_later_try_tells_how_many_there_were() -> None:
    (end,) = settle(Permanent(Reason.DNS, "no such name"), MESSAGE.with_headers(attempt=3))
    assert failure(end).attempts == 3


def test_a_message_nobody_can_read_is_dead_lettered_with_the_reason() -> None:
    (dead,) = STAGE.settle(lambda message: [UrlSubmitted.from_message(message).to_message()], UNREADABLE)
    assert (dead.exchange, dead.routing_key) == ("graymill.dead", "fetcher")
    assert dead.message.headers["x-dead-reason"] == "header item_id is no UUID: 'no uuid'"
    assert dead.message.headers["x-dead-queue"] == "fetcher"
    assert dead.message.body == UNREADABLE.body


def test_a_malformed_message_that_tells_its_item_ends_it_as_poison() -> None:
    dead, end = settle(MalformedMessage("the body is no JSON"))
    assert dead.exchange == "graymill.dead"
    assert failure(end) == ItemFailed(ITEM, "fetcher", Reason.POISON, "the body is no JSON", None, attempts=1)


def test_what_nobody_foresaw_is_dead_lettered_and_ends_as_poison() -> None:
    dead, end = settle(ZeroDivisionError("division by zero"))
    assert dead.message.headers["x-dead-reason"] == "ZeroDivisionError: division by zero"
    assert failure(end).reason is Reason.POISON
    assert failure(end).item == ITEM


def test_a_message_of_a_newer_version_is_dead_lettered_and_its_item_ends() -> None:
    newer = MESSAGE.with_headers(version=2)
    dead, end = STAGE.settle(lambda message: [UrlSubmitted.from_message(message).to_message()], newer)
    assert dead.message == newer.with_headers(
        **{"x-dead-reason": "version 2 is not known, only 1", "x-dead-queue": "fetcher"}
    )
    assert failure(end) == ItemFailed(
        ITEM, "fetcher", Reason.POISON, "version 2 is not known, only 1", None, attempts=1
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MalformedMessage("x")], ids=["unforeseen", "malformed"])
def test_what_cannot_be_read_at_all_is_only_dead_lettered(error: Exception) -> None:
    (dead,) = settle(error, UNREADABLE)
    assert dead.exchange == "graymill.dead"


def test_a_long_sentence_is_cut_where_it_is_written_down() -> None:
    dead, end = settle(ValueError("x" * 100_000))
    assert len(dead.message.headers["x-dead-reason"]) == 500
    assert len(failure(end).detail) == 500


def test_unavailable_is_for_the_runtime_to_wait_out() -> None:
    with pytest.raises(Unavailable):
        settle(Unavailable("MongoDB: gone"))


def test_an_error_after_the_first_yield_publishes_nothing_of_it() -> None:
    def half_way(_message: Message) -> Iterator[Message]:
        yield fetched(ITEM, b"one").to_message()
        raise Permanent(Reason.DECODE, "broken")

    (end,) = STAGE.settle(half_way, MESSAGE)
    assert failure(end).reason is Reason.DECODE


def test_every_message_of_a_batch_is_settled_by_itself() -> None:
    def odd_ones_fail(message: Message) -> Iterator[Message]:
        if message.headers["number"] % 2:
            raise ItemError(Reason.DECODE, "odd")
        yield message

    given = STAGE.each(odd_ones_fail)([MESSAGE.with_headers(number=number) for number in range(4)])
    assert [[publication.routing_key for publication in of_one] for of_one in given] == [
        ["url.submitted"],
        ["fetcher", "item.failed"],
        ["url.submitted"],
        ["fetcher", "item.failed"],
    ]


def test_a_stage_under_a_prefix_stays_under_it() -> None:
    stage = Stage("hasher", replace(STAGE.topology, prefix="here."))
    (again,) = stage.settle(raising(timed_out()), MESSAGE)
    assert (again.exchange, again.routing_key) == ("here.graymill.delay.5s", "here.hasher")
