"""Which hosts are left alone, as two fetchers see it that share a database; the clock is the test's."""

import math
from datetime import UTC, datetime

import pytest

from common.database import Database, create_indexes
from common.errors import ItemError, Permanent, Postponed, Transient
from common.fetching.paused_hosts import PausedHosts
from common.fetching.pauses import LOOK_SECONDS, MEMORY_SECONDS, Pauses
from common.reasons import Reason
from common.settings import Settings

HOST, OTHER = "images.example.com", "other.example.com"
DELAYS = (5, 30, 300)
REFUSED = Transient(Reason.CONNECT, "refused")


class World:
    def __init__(self, database: Database) -> None:
        self.now = 1_700_000_000.0
        settings = Settings.from_environ({"FETCH_HOST_FAILURES": "3", "RETRY_AFTER_MAX_SECONDS": "600"})
        self.first, self.second = (Pauses(database, settings, clock=lambda: self.now) for _ in range(2))
        self.documents = database["hosts"]

    def later(self, seconds: float) -> None:
        self.now += seconds

    def wait_seconds(self, pauses: Pauses, host: str = HOST) -> float:
        """Tell how long the host is left alone, as a fetcher knows it that has looked just now."""
        self.later(LOOK_SECONDS + 0.01)
        try:
            pauses.check(host)
        except Postponed as error:
            return error.after_seconds
        return 0.0

    def fail(self, count: int, error: ItemError = REFUSED) -> None:
        for _ in range(count):
            self.first.failed(HOST, error)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def asked(seconds: float | None, status: int = 429) -> Transient:
    reason = Reason.RATE_LIMITED if status == 429 else Reason.HTTP_5XX
    return Transient(reason, f"{status}", status=status, after_seconds=seconds)


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_for_it_is_left_alone_by_all_until_then(world: World, status: int) -> None:
    world.first.failed(HOST, asked(60, status))
    for pauses in (world.first, world.second):
        assert world.wait_seconds(pauses) == pytest.approx(60, abs=1)
        assert world.wait_seconds(pauses, OTHER) == 0
    world.later(60)
    assert world.wait_seconds(world.first) == world.wait_seconds(world.second) == 0


def test_the_reason_is_told_and_how_long_may_be_waited_for_it(world: World) -> None:
    world.first.failed(HOST, asked(60))
    with pytest.raises(Postponed) as told:
        world.first.check(HOST)
    error = told.value
    assert (error.reason, error.status, error.most_seconds) == (Reason.RATE_LIMITED, 429, 600)
    assert error.detail == "left alone until 22:14:20 UTC, as it asked for"


def test_of_two_moments_the_later_holds(world: World) -> None:
    world.first.failed(HOST, asked(60))
    world.second.failed(HOST, asked(20))
    world.second.failed(HOST, asked(90))
    world.first.failed(HOST, asked(30))
    for pauses in (world.first, world.second):
        assert world.wait_seconds(pauses) == pytest.approx(90, abs=1)


def test_a_429_without_a_moment_makes_a_short_pause(world: World) -> None:
    world.first.failed(HOST, asked(None))
    assert world.wait_seconds(world.second) == pytest.approx(DELAYS[0], abs=1)


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        Transient(Reason.TIMEOUT, "too long"),
        Transient(Reason.DNS, "no answer"),
        Transient(Reason.HTTP_5XX, "502 Bad Gateway", status=502),
        Permanent(Reason.RATE_LIMITED, "asks to wait 86,400 s", status=429),
    ],
    ids=str,
)
def test_a_host_that_fails_so_often_in_a_row_is_left_alone(world: World, error: ItemError) -> None:
    world.fail(2, error)
    assert world.wait_seconds(world.first) == 0
    world.fail(1, error)
    for pauses in (world.first, world.second):
        assert world.wait_seconds(pauses) == pytest.approx(DELAYS[0], abs=1)
    with pytest.raises(Postponed) as told:
        world.second.check(HOST)
    assert (told.value.reason, told.value.most_seconds) == (error.reason, sum(DELAYS))
    assert "as it keeps failing" in told.value.detail


@pytest.mark.parametrize(
    "error",
    [
        Permanent(Reason.HTTP_4XX, "404 Not Found", status=404),
        Permanent(Reason.OPT_OUT, "X-Robots-Tag: noai"),
        Permanent(Reason.TOO_LARGE, "more than allowed"),
        Transient(Reason.INCOMPLETE_BODY, "reset"),
        None,
    ],
    ids=str,
)
def test_an_answer_in_between_begins_the_count_anew(world: World, error: ItemError | None) -> None:
    for _ in range(4):
        world.fail(2)
        if error is None:
            world.first.answered(HOST)
        else:
            world.first.failed(HOST, error)
    assert world.wait_seconds(world.first) == 0
    assert world.documents.count_documents({}) == 0


@pytest.mark.parametrize("error", [Permanent(Reason.DNS, "no such name"), Permanent(Reason.TLS, "expired")], ids=str)
def test_what_is_wrong_for_good_neither_counts_nor_makes_up_for_it(world: World, error: ItemError) -> None:
    world.fail(5, error)
    assert world.wait_seconds(world.first) == 0
    world.fail(2)
    world.fail(1, error)
    world.fail(1)
    assert world.wait_seconds(world.first) > 0


def test_each_pause_is_longer_until_the_host_answers(world: World) -> None:
    world.fail(3)
    lengths = []
    for _ in range(8):
        seconds = world.wait_seconds(world.second)
        lengths.append(math.ceil(seconds))
        world.later(seconds + 1)
        assert world.wait_seconds(world.first) == 0
        world.second.failed(HOST, REFUSED)  # one is enough now, whoever meets it
        assert world.wait_seconds(world.first) > 0
    assert lengths == [5, 10, 20, 40, 80, 160, 300, 300]
    world.later(301)
    world.first.answered(HOST)
    assert world.documents.count_documents({}) == 0
    world.fail(2)
    assert world.wait_seconds(world.first) == 0
    world.fail(1)
    assert world.wait_seconds(world.first) == pytest.approx(5, abs=1)


def test_what_was_under_way_when_a_pause_began_makes_it_no_longer(world: World) -> None:
    world.fail(20)
    world.later(LOOK_SECONDS + 0.01)
    world.second.check(OTHER)
    world.second.failed(HOST, REFUSED)
    world.first.answered(HOST)
    for pauses in (world.first, world.second):
        assert world.wait_seconds(pauses) == pytest.approx(5, abs=1)


def resume(world: World, database: Database) -> bool:
    return PausedHosts(database).resume(HOST, datetime.fromtimestamp(world.now, UTC))


@pytest.mark.parametrize("later_seconds", [0, 600], ids=["paused", "failing"])
@pytest.mark.parametrize("error", [asked(60), REFUSED], ids=["asked", "failed"])
def test_a_pause_that_a_person_ends_is_over_for_all_and_so_are_the_failures(
    world: World, database: Database, error: ItemError, later_seconds: int
) -> None:
    world.fail(3, error)
    assert world.wait_seconds(world.second) > 0
    world.later(later_seconds)
    assert resume(world, database)
    assert world.wait_seconds(world.first) == world.wait_seconds(world.second) == 0
    assert not resume(world, database)
    world.fail(2)
    assert world.wait_seconds(world.first) == 0
    world.fail(1)
    for pauses in (world.first, world.second):
        assert world.wait_seconds(pauses) == pytest.approx(DELAYS[0], abs=1)


def test_after_an_hour_all_is_forgotten(world: World, database: Database) -> None:
    world.fail(3)
    world.later(MEMORY_SECONDS + 6)
    world.fail(1)
    assert world.wait_seconds(world.first) == pytest.approx(5, abs=1)
    create_indexes(database)
    [expiry] = [index for index in database["hosts"].index_information().values() if "expireAfterSeconds" in index]
    assert (expiry["key"], expiry["expireAfterSeconds"]) == ([("until", 1)], MEMORY_SECONDS)


def test_a_clock_that_is_set_back_stops_nobody_from_looking(world: World) -> None:
    world.first.check(HOST)
    world.later(-7_200)
    world.second.failed(HOST, asked(60))
    assert world.wait_seconds(world.first) > 0


def test_many_urls_ask_the_database_a_few_times_a_second(world: World, database: Database) -> None:
    database.command("profile", 2)
    try:
        for _ in range(1_000):
            world.first.check(HOST)
            world.first.answered(HOST)
            world.later(0.001)
    finally:
        database.command("profile", 0)
    asked = database["system.profile"].count_documents({"ns": f"{database.name}.hosts"})
    assert 1 <= asked <= 1 / LOOK_SECONDS + 1
