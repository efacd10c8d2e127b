"""What the API does while nobody asks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from common.broker import parameters
from common.errors import Unavailable
from common.publisher import Publisher
from services.api.queries.depths import depths
from services.api.queries.span import Span
from services.api.watching import Chore, chores, watch
from tests.fleet import eventually

MINUTE = timedelta(minutes=1)


@contextmanager
def watching(todo: list[Chore]) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=watch, args=(todo, stopping))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(10)
    assert not thread.is_alive()


def test_the_queues_are_noted_and_what_the_pages_need_is_made(database, settings, topology):
    """Two processes do it at once, on a database that an older version has left without indexes."""
    database["items"].insert_one({"_id": 1})
    database["items"].drop_indexes()
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    eventually(lambda: publisher.ready)

    def noted() -> set[str]:
        now = datetime.now(UTC)
        return {queue.queue for queue in depths(database, Span(now - MINUTE, now + MINUTE)).queues}

    try:
        todo = [chores(database, publisher, stalled_seconds=300.0) for _ in range(2)]
        with watching(todo[0]), watching(todo[1]):
            eventually(lambda: noted() == set(topology.queues))
            eventually(lambda: len(database["items"].index_information()) > 5)
    finally:
        publisher.close()


def test_a_chore_that_cannot_be_done_now_is_done_later_and_keeps_no_other_from_being_done(caplog):
    done = threading.Event()
    tries: list[str] = []

    def fail() -> None:
        tries.append("failing")
        raise Unavailable("MongoDB: gone")

    def surprise() -> None:
        tries.append("surprising")
        raise ValueError("nobody thought of this")

    def work() -> None:
        if tries.count("failing") >= 3 and tries.count("surprising") >= 3:
            done.set()

    todo = [Chore("failing", 0.01, fail), Chore("surprising", 0.01, surprise), Chore("working", 0.01, work)]
    with watching(todo):
        assert done.wait(10)
    assert "nobody thought of this" in caplog.text
