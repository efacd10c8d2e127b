"""When an image costs more than it did: which growth counts, and which is the machine's."""

import pytest

from bench.pace import task_milliseconds
from bench.quick import Comparison, compare

COMMITTED = {"small": {"fetcher": 1.0, "hasher": 0.1}, "large": {"fetcher": 2.0}}


def grown(now: dict[str, dict[str, float]], *, pace: float = 1.0) -> list[tuple[str, str]]:
    return [(one.corpus, one.process) for one in compare(COMMITTED, now, pace=pace) if one.has_grown]


def test_a_process_that_grew_by_more_than_a_quarter_is_named() -> None:
    now = {"small": {"fetcher": 1.24, "hasher": 0.1}, "large": {"fetcher": 2.6}}
    assert grown(now) == [("large", "fetcher")]


def test_a_growth_too_small_to_be_told_from_noise_is_none() -> None:
    assert grown({"small": {"fetcher": 1.0, "hasher": 0.24}}) == []
    assert grown({"small": {"fetcher": 1.0, "hasher": 0.26}}) == [("small", "hasher")]


def test_a_slower_machine_may_take_longer_by_as_much() -> None:
    now = {"small": {"fetcher": 1.8}, "large": {"fetcher": 3.0}}
    assert grown(now) == [("small", "fetcher"), ("large", "fetcher")]
    assert grown(now, pace=1.5) == []


def test_a_faster_machine_must_be_faster() -> None:
    assert grown({"small": {"fetcher": 0.9}}, pace=0.5) == [("small", "fetcher")]


def test_a_new_process_has_grown_from_nothing() -> None:
    assert grown({"small": {"resizer": 0.5}}) == [("small", "resizer")]
    assert Comparison("small", "resizer", 0.0, 0.5).growth == float("inf")


def test_the_fixed_task_takes_about_as_long_each_time() -> None:
    first, second = task_milliseconds(), task_milliseconds()
    assert first == pytest.approx(second, rel=0.5)
