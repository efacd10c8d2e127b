"""The worker runtime against a real broker."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from common.crew import Consumer
from common.errors import Transient, Unavailable
from common.handling import Stage
from common.message import Message, Publication
from common.reasons import Reason
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from tests.fleet import eventually
from tests.integration.runtime import Broker, submitted, working


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Broker:
    return Broker(settings, topology)


def test_a_delivery_is_acked_once_what_it_gave_is_in_a_queue(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    broker.put([submitted(line) for line in range(1, 51)])

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        return [[topology.direct("dead", message)] for message in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=8, batch_size=4)):
        taken = broker.take("dead", 50)
    assert {message.headers["url"] for message in taken} == {f"http://127.0.0.2/{line}" for line in range(1, 51)}
    assert broker.ready("fetcher") == 0


def test_no_more_is_held_than_the_prefetch_allows(settings: Settings, topology: Topology, broker: Broker) -> None:
    broker.put([submitted(line) for line in range(1, 11)])
    go_on = threading.Event()

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        go_on.wait(20)
        return [[] for _ in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=3)):
        eventually(lambda: broker.ready("fetcher") == 7, what="three are held")
        go_on.set()
        eventually(lambda: broker.ready("fetcher") == 0, what="all are handled")


def test_many_handlers_work_at_once(settings: Settings, topology: Topology, broker: Broker) -> None:
    broker.put([submitted(line) for line in range(1, 9)])
    together = threading.Barrier(8)

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        together.wait(20)
        return [[topology.direct("dead", message)] for message in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=8, threads=8)):
        assert len(broker.take("dead", 8)) == 8


def test_while_a_dependency_is_away_the_same_messages_wait_and_spend_no_delivery(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    broker.put([submitted(line) for line in range(1, 4)])
    calls: list[int] = []
    seen_counts: list[object] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        calls.append(len(messages))
        if len(calls) < 3:
            raise Unavailable("the database is away")
        seen_counts.extend(message.headers.get("x-delivery-count") for message in messages)
        return [[topology.direct("dead", message)] for message in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=3, batch_size=3)):
        broker.take("dead", 3)
    assert seen_counts == [None] * 3, "a message was returned to the broker"


def test_large_messages_are_handled_in_smaller_batches(settings: Settings, topology: Topology, broker: Broker) -> None:
    broker.put([submitted(line) for line in range(1, 9)])
    length = len(submitted(1).body)
    calls: list[int] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        calls.append(len(messages))
        return [[topology.direct("dead", message)] for message in messages]

    # All wait by the time that the first batch is full.
    consumer = Consumer(
        "fetcher", handle, prefetch_count=8, batch_size=8, batch_bytes=2 * length + 1, linger_seconds=5.0
    )
    with working(settings, topology, consumer):
        broker.take("dead", 8)
    assert max(calls) == 3


def test_a_handler_that_fails_in_an_unforeseen_way_costs_no_message(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    broker.put([submitted(1)])
    failures = [RuntimeError("a fault of ours")]

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        if failures:
            raise failures.pop()
        return [[topology.direct("dead", message)] for message in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=1)):
        assert len(broker.take("dead", 1)) == 1


def test_a_queue_deleted_while_running_is_declared_again_and_nothing_published_is_lost(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    deleted = threading.Event()

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        deleted.wait(20)
        return [[topology.direct("dead", message)] for message in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=5)):
        broker.put([submitted(line) for line in range(1, 6)])
        eventually(lambda: broker.ready("fetcher") == 0, what="the worker holds them")
        with broker.channel() as channel:
            channel.queue_delete(topology.queue("dead"))
        deleted.set()
        eventually(lambda: _exists(broker, "dead"), what="declared again")
        taken = broker.take("dead", 5)
    assert len({message.headers["url"] for message in taken}) == 5


def test_a_full_queue_slows_its_publisher_and_loses_nothing(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    """Refused messages are tried again until somebody makes room."""
    narrow = replace(topology, prefix=f"{topology.prefix}n.", queue_max_bytes=1024 * 1024)
    bodies = [replace(submitted(line), type="image.fetched", body=bytes(200_000)) for line in range(1, 31)]

    def fetch(messages: Sequence[Message]) -> list[list[Publication]]:
        return [[narrow.direct("hasher", message)] for message in messages]

    narrow_broker = Broker(settings, narrow)
    with working(settings, narrow, Consumer("grayscaler", fetch, prefetch_count=30)) as worker:
        eventually(lambda: _exists(narrow_broker, "grayscaler"))
        for body in bodies:
            eventually(lambda: narrow_broker.ready("grayscaler") == 0, what="the worker has taken what there was")
            narrow_broker.put([replace(body, type=narrow.queue("grayscaler"))], exchange="")
        eventually(lambda: worker.refusals > 0 and worker.load.bytes > 0, what="it is refused, and holds on")
        taken = narrow_broker.take("hasher", 30)
        assert {message.headers["url"] for message in taken} == {f"http://127.0.0.2/{n}" for n in range(1, 31)}
    with narrow_broker.channel() as channel:
        narrow.delete(channel)


def test_stopping_while_it_looks_for_suspects_is_no_fault(
    settings: Settings, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.intake.LOOK_SECONDS", 0.0)
    for _ in range(20):
        consumer = Consumer("fetcher", lambda messages: [[] for _ in messages], prefetch_count=1)
        with working(settings, topology, consumer) as worker:  # what its thread ends with, pytest takes for a failure
            eventually(lambda worker=worker: worker.is_connected, what="it is connected")


def test_stopping_finishes_what_is_under_way_and_returns_the_rest(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    broker.put([submitted(line) for line in range(1, 11)])
    begun, go_on = threading.Event(), threading.Event()

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        begun.set()
        go_on.wait(20)
        return [[topology.direct("dead", message)] for message in messages]

    worker = Worker("tests", [Consumer("fetcher", handle, prefetch_count=5)], settings, topology)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert begun.wait(20)
    worker.stop()
    go_on.set()
    thread.join(10)
    assert not thread.is_alive()
    eventually(lambda: (broker.ready("dead"), broker.ready("fetcher")) == (1, 9), what="the rest is back")


def test_work_longer_than_two_heartbeats_does_not_lose_the_connection(
    settings: Settings, topology: Topology, broker: Broker
) -> None:
    deliveries: list[object] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        deliveries.extend(message.headers.get("x-delivery-count") for message in messages)
        busy_until = time.monotonic() + 12
        while time.monotonic() < busy_until:  # as a decoder would, without giving way
            sum(range(10_000))
        return [[topology.direct("dead", message)] for message in messages]

    short = replace(settings, amqp_heartbeat_seconds=5)
    with working(short, topology, Consumer("fetcher", handle, prefetch_count=1)):
        broker.put([submitted(1)])
        eventually(lambda: broker.ready("dead") == 1, what="handled")
    assert deliveries == [None]


def _exists(broker: Broker, queue: str) -> bool:
    try:
        broker.ready(queue)
    except Exception:  # noqa: BLE001 - pika has several for a queue that is not there
        return False
    return True


def test_a_strangers_headers_of_any_type_can_be_buried(settings: Settings, topology: Topology, broker: Broker) -> None:
    """pika reads fractions but does not write them; such a message must not come back for ever."""
    stage = Stage("fetcher", topology)
    strange = submitted(1).with_headers(fraction=1.5, huge=2**70, nested={"a": [1.5, None, True]})

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        strangers = [replace(message, headers={**message.headers, **strange.headers}) for message in messages]
        return [stage.bury(message, "why") for message in strangers]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=1)):
        broker.put([submitted(1)])
        [buried] = broker.take("dead", 1)
    assert (buried.headers["fraction"], buried.headers["nested"]) == ("1.5", {"a": ["1.5", None, True]})


def test_a_transient_error_comes_back_after_its_delay(settings: Settings, topology: Topology, broker: Broker) -> None:
    moments: list[float] = []

    def fail_once(message: Message) -> list[Message]:
        moments.append(time.monotonic())
        if len(moments) == 1:
            raise Transient(Reason.TIMEOUT, "once")
        return []

    with working(settings, topology, Consumer("fetcher", Stage("fetcher", topology).each(fail_once), prefetch_count=1)):
        broker.put([submitted(1)])
        eventually(lambda: len(moments) == 2, what="it came back")
    assert moments[1] - moments[0] >= settings.retry_delays_seconds[0]
    assert broker.ready("dead") == 0
