"""A message that its worker dies of again and again: a second chance, then an outcome and a place among the dead."""

from collections.abc import Iterator

import pytest

from common.crew import Consumer
from common.facts import ImageFetched, ItemFailed
from common.message import Message
from common.reasons import Reason
from common.settings import Settings
from common.topology import DELIVERY_LIMIT, Topology
from services.aggregator.undertaker import Undertaker
from tests.integration.runtime import Broker, working
from tests.some_facts import fetched, new_item

DEADLINE_SECONDS = 30


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Iterator[Broker]:
    """Give a broker with an undertaker at work."""
    with working(settings, topology, Consumer("undertaker", Undertaker(topology).handle, prefetch_count=1)):
        yield Broker(settings, topology)


def die_of(broker: Broker, queue: str) -> list[bytes]:
    """Return what comes, as the end of a connection does, as often as the broker bears it; give the bodies."""
    bodies: list[bytes] = []
    with broker.channel() as channel:
        channel.basic_qos(prefetch_count=1)
        for method, _properties, body in channel.consume(queue, inactivity_timeout=DEADLINE_SECONDS):
            assert method is not None, f"after {len(bodies)} deliveries nothing came to {queue}"
            bodies.append(body)
            if len(bodies) == DELIVERY_LIMIT + 1:
                channel.cancel()  # first, so that its second chance is not delivered to us
            channel.basic_nack(method.delivery_tag, requeue=True)
    return bodies


def everything_is_gone(broker: Broker, *queues: str) -> bool:
    return all(broker.ready(queue) == 0 for queue in queues)


def test_a_message_gets_a_second_chance_and_then_ends_as_poison_and_is_kept(broker: Broker, topology: Topology) -> None:
    item = new_item()
    poison = fetched(item, b"what the decoder dies of")
    broker.put([poison.to_message()])
    deaths = die_of(broker, topology.queue("grayscaler")) + die_of(broker, topology.queue("grayscaler"))
    assert deaths == [poison.body] * 12
    (kept,) = broker.take("dead", 1)
    assert kept.headers["x-dead-queue"] == "grayscaler"
    assert kept.headers["x-dead-reason"] == "delivered too often without an answer from grayscaler"
    assert ImageFetched.from_message(kept) == poison
    (told,) = broker.take("aggregator", 1)
    end = ItemFailed.from_message(told)
    assert (end.item, end.stage, end.reason) == (item, "grayscaler", Reason.POISON)
    assert everything_is_gone(broker, "grayscaler", "undertaker", "aggregator", "dead")


def test_a_message_that_only_died_of_its_neighbours_is_worked_on_as_before(broker: Broker, topology: Topology) -> None:
    innocent = fetched(new_item(), b"harmless")
    broker.put([innocent.to_message()])
    die_of(broker, topology.queue("hasher"))
    (again,) = broker.take("hasher", 1)
    assert ImageFetched.from_message(again) == innocent
    assert everything_is_gone(broker, "hasher", "undertaker", "aggregator", "dead")


@pytest.mark.parametrize("headers", [{}, {"x-death": "none"}, {"x-death": []}, {"x-death": [5]}, {"x-death": [{}]}])
def test_a_message_that_does_not_tell_where_it_died_is_buried(topology: Topology, headers: dict[str, object]) -> None:
    message = Message("image.fetched", "", "", headers, b"?")
    ((dead,),) = Undertaker(topology).handle([message])
    assert dead.exchange == f"{topology.exchange}.dead"
    assert dead.message.headers["x-dead-queue"] == "unknown"
