"""How often a client may ask: so many at once, then evenly; in bounded memory."""

import pytest

from services.api.rate_limit import RateLimit


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(limit: RateLimit, client: str, count: int) -> int:
    return sum(limit.wait_seconds(client) == 0 for _ in range(count))


def test_a_minutes_worth_may_come_at_once_and_then_one_an_interval(clock: Clock) -> None:
    limit = RateLimit(4, clock=clock)
    assert taken(limit, "a", 6) == 4
    assert limit.wait_seconds("a") == pytest.approx(15)
    clock.now += 14
    assert limit.wait_seconds("a") == pytest.approx(1)
    clock.now += 1
    assert taken(limit, "a", 2) == 1
    clock.now += 600
    assert taken(limit, "a", 6) == 4


def test_who_asks_while_waiting_waits_no_longer_for_it(clock: Clock) -> None:
    limit = RateLimit(1, clock=clock)
    assert taken(limit, "a", 50) == 1
    clock.now += 60
    assert limit.wait_seconds("a") == 0


def test_clients_are_counted_apart(clock: Clock) -> None:
    limit = RateLimit(2, clock=clock)
    assert taken(limit, "a", 5) == 2
    assert taken(limit, "b", 5) == 2


def test_no_more_clients_are_remembered_than_said_and_who_asks_on_is_not_forgotten(clock: Clock) -> None:
    limit = RateLimit(1, most_clients=3, clock=clock)
    for other in range(100):
        assert taken(limit, "persistent", 1) == (other == 0)
        assert taken(limit, f"other {other}", 1) == 1
    assert len(limit) == 3


def test_nought_is_no_limit(clock: Clock) -> None:
    assert taken(RateLimit(0, clock=clock), "a", 10_000) == 10_000
