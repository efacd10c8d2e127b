"""Hosts that ask to be left alone, that are slow, and that fail: how often they are asked, and what others notice."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.database import Database
from common.errors import Postponed, Transient
from common.facts import ImageFetched, ItemFailed, UrlSubmitted
from common.fetching.download import Downloader
from common.fetching.pauses import OLD_SECONDS
from common.fetching.wiring import open_downloader
from common.ledger import Ledger
from common.reasons import Reason
from common.settings import Settings
from common.topology import Topology
from tests.downloading import failure
from tests.fleet import eventually, fleet
from tests.integration.runtime import Broker
from tests.raw_server import JPEG_START, RawServer, Visit, talking, whole

QUICK, SPECIAL = "127.0.0.3", "127.0.0.2"


class Host:
    """Answers as it is told to, and knows when it was asked and by how many at once."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.answer = whole(JPEG_START)
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()

    def play(self, visit: Visit) -> None:
        while visit.request():
            with self._lock:
                answer = self.answer  # what it is before anybody learns that it was asked for
                self.asked.append(time.monotonic())
                self._at_once += 1
                self.most_at_once = max(self.most_at_once, self._at_once)
            while not self.may_answer.wait(0.05) and not visit.ending.is_set():
                pass
            with self._lock:
                self._at_once -= 1
            if not answer:
                return
            visit.send(answer)


class World:
    """A broker, a ledger, and two hosts."""

    def __init__(self, settings: Settings, topology: Topology, database: Database) -> None:
        self.broker = Broker(settings, topology)
        self.database = database
        self.special, self.quick = Host(), Host()

    @contextmanager
    def hosts(self) -> Iterator[tuple[RawServer, RawServer]]:
        with talking(self.special.play, host=SPECIAL) as special, talking(self.quick.play, host=QUICK) as quick:
            try:
                yield special, quick
            finally:
                self.special.may_answer.set()

    def submit(self, urls: Sequence[str]) -> None:
        ledger = Ledger(self.database)
        items = ledger.add_items(ledger.open_task(kind="url", name=None, refresh=False), 1, urls)
        self.broker.put([UrlSubmitted(item).to_message() for item in items])

    def fetched(self, count: int) -> list[str]:
        """Wait for so many images, and give their URLs."""
        return [ImageFetched.from_message(message).item.url for message in self.broker.take("hasher", count)]


@pytest.fixture
def world(settings: Settings, topology: Topology, database: Database) -> World:
    return World(settings, topology, database)


def downloaders(world: World, settings: Settings, count: int) -> list[Downloader]:
    return [open_downloader(settings, world.database, connections=4, heeds_robots=False) for _ in range(count)]


def refusing(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]).encode()


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_host_that_says_when_is_not_asked_before_by_any_fetcher(
    world: World, settings: Settings, status: str
) -> None:
    world.special.answer = refusing(status, "Retry-After: 60")
    with world.hosts() as (special, quick):
        first, second = downloaders(world, settings, 2)
        assert isinstance(failure(first, special.url("/1")), Transient)
        for fetching in (first, second):
            error = failure(fetching, special.url("/2"))
            assert isinstance(error, Postponed)
            assert 50 < error.after_seconds <= 60
            assert fetching.download(quick.url()).body == JPEG_START
    assert len(world.special.asked) == 1


def test_nor_is_it_when_another_host_leads_there(world: World, settings: Settings) -> None:
    world.special.answer = refusing("429 Too Many Requests", "Retry-After: 60")
    with world.hosts() as (special, quick):
        world.quick.answer = refusing("302 Found", f"Location: {special.url()}")
        first, second = downloaders(world, settings, 2)
        assert failure(first, quick.url("/1")).reason is Reason.RATE_LIMITED
        assert isinstance(failure(second, quick.url("/2")), Postponed)
    assert (len(world.special.asked), len(world.quick.asked)) == (1, 2)


def test_a_wait_that_is_not_granted_ends_the_item_and_keeps_no_other_from_the_host(
    world: World, settings: Settings
) -> None:
    world.special.answer = refusing("429 Too Many Requests", "Retry-After: 86400")
    with world.hosts() as (special, _quick):
        [fetching] = downloaders(world, settings, 1)
        assert failure(fetching, special.url()).reason is Reason.RATE_LIMITED
        world.special.answer = whole(JPEG_START)
        assert fetching.download(special.url()).body == JPEG_START


def test_items_of_a_host_that_says_when_wait_for_that_while_others_go_on(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    seconds = 10
    world.special.answer = refusing("429 Too Many Requests", f"Retry-After: {seconds}")
    with world.hosts() as (special, quick), fleet({"fetcher": 2}, environment, tmp_path):
        world.submit([special.url("/first")])
        eventually(lambda: world.special.asked, what="the host is asked")
        world.special.answer = whole(JPEG_START)
        began = world.special.asked[0]
        eventually(lambda: world.database["hosts"].count_documents({}) == 1, what="the others are told")
        known = time.monotonic() + OLD_SECONDS
        eventually(lambda: time.monotonic() > known, what="nobody relies on what was before")
        urls = [host.url(f"/{number}") for number in range(30) for host in (special, quick)]
        world.submit(urls)
        assert sorted(world.fetched(61)) == sorted([special.url("/first"), *urls])
    assert min(world.special.asked[1:]) >= began + seconds - 0.1
    assert max(world.quick.asked) < began + seconds
    assert len(world.special.asked) == 32  # none was asked for in vain but the first


def test_a_host_that_hangs_keeps_nobody_else_waiting(world: World, environment: dict[str, str], tmp_path: Path) -> None:
    few = {**environment, "FETCH_CONCURRENCY": "8", "FETCH_PER_HOST": "4", "IDLE_TIMEOUT_SECONDS": "60"}
    world.special.may_answer.clear()
    with world.hosts() as (special, quick), fleet({"fetcher": 1}, few, tmp_path):
        world.submit([special.url(f"/{number}") for number in range(60)])
        world.submit([quick.url(f"/{number}") for number in range(60)])
        assert {url.split("/")[2] for url in world.fetched(60)} == {f"{QUICK}:{quick.port}"}
        assert world.special.most_at_once == len(world.special.asked) == 4
        world.special.may_answer.set()
        assert len(set(world.fetched(60))) == 60
    assert world.special.most_at_once == 4
    assert len(world.special.asked) == 60


def test_a_host_that_fails_is_asked_less_and_less_and_its_items_end(
    world: World, environment: dict[str, str], tmp_path: Path
) -> None:
    world.special.answer = b""  # it hangs up
    few = {**environment, "FETCH_PER_HOST": "4", "FETCH_HOST_FAILURES": "3"}
    with world.hosts() as (special, quick), fleet({"fetcher": 1}, few, tmp_path):
        world.submit([host.url(f"/{number}") for number in range(40) for host in (special, quick)])
        assert len(world.fetched(40)) == 40
        failures = [ItemFailed.from_message(message) for message in world.broker.take("aggregator", 40)]
    assert {failure.reason for failure in failures} == {Reason.CONNECT}
    assert len({failure.item.url for failure in failures}) == 40
    assert len(world.special.asked) < 40  # three tries each would be 120
