"""The moments of an item's way travel in its messages, and become durations."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.facts import ImageFetched, UrlSubmitted
from common.items import Item
from common.message import Message
from common.steps import now_ms, read_steps, took_ms, write_steps
from tests.some_facts import new_item


def carried(item: Item) -> Message:
    """Let an item be told, taken up by the fetcher, and told as an image."""
    submitted = UrlSubmitted.from_message(UrlSubmitted(item).to_message())
    return ImageFetched.of(submitted.item, b"body", "image/png").to_message()


def test_each_stage_adds_when_it_was_told_and_when_it_took_the_item_up() -> None:
    before = now_ms()
    steps = ImageFetched.from_message(carried(new_item())).item.steps
    assert len(steps) == 4
    assert before <= steps[0] <= steps[1] <= steps[2] <= steps[3] <= now_ms()


def test_the_way_says_nothing_about_which_item_it_is() -> None:
    item = new_item()
    read = ImageFetched.from_message(carried(item)).item
    assert read == item
    assert hash(read) == hash(item)


@pytest.mark.parametrize("header", [None, 5, b"1,2", "", "1,", "x", "1" * 15, ",".join("1" * 17), "1,-2", "١"])
def test_what_is_no_such_header_counts_as_none(header: object) -> None:
    message = UrlSubmitted(new_item()).to_message()
    assert UrlSubmitted.from_message(replace(message, headers={**message.headers, "steps": header})).item.steps == ()


def test_a_stage_that_failed_took_the_item_up_when_it_began() -> None:
    assert read_steps("100", 150) == (100, 150)


@given(some.lists(some.integers(0, 2**43), min_size=2, max_size=8).filter(lambda steps: len(steps) % 2 == 0))
def test_durations_alternate_between_waiting_and_working_and_are_never_negative(steps: list[int]) -> None:
    durations_ms = took_ms(steps, steps[-1] + 7)
    assert durations_ms is not None
    assert len(durations_ms) == len(steps)
    assert all(0 <= duration_ms < 2**31 for duration_ms in durations_ms)
    assert durations_ms[-1] == 7


def test_an_item_whose_messages_carried_no_moments_was_not_timed() -> None:
    assert took_ms((), 5) is None
    assert took_ms((1, 2, 3), 5) is None


def test_many_steps_are_still_a_header_that_is_read() -> None:
    assert read_steps(write_steps(range(15)), 3)[:15] == tuple(range(15))
