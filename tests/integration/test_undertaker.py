"""A message that its worker dies of again and again: tried alone, then an outcome and a place among the dead."""

from collections.abc import Iterator

import pytest

from common.crew import Consumer
from common.facts import ImageFetched, ItemFailed
from common.message import Message
from common.reasons import Reason
from common.settings import Settings
from common.topology import DELIVERY_LIMIT, SUSPECT_LIMIT, Topology
from services.aggregator.undertaker import Undertaker
from tests.integration.runtime import Broker, working
from tests.some_facts import failed, fetched, new_item

DEADLINE_SECONDS = 30


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Iterator[Broker]:
    """Give a broker with an undertaker at work."""
    with working(settings, topology, Consumer("undertaker", Undertaker(topology).handle, prefetch_count=1)):
        yield Broker(settings, topology)


def die_of(broker: Broker, queue: str, limit: int) -> list[bytes]:
    """Return what comes, as the end of a connection does, as often as the broker bears it; give the bodies."""
    bodies: list[bytes] = []
    with broker.channel() as channel:
        channel.basic_qos(prefetch_count=1)
        for method, _properties, body in channel.consume(
            broker.topology.queue(queue), inactivity_timeout=DEADLINE_SECONDS
        ):
            assert method is not None, f"after {len(bodies)} deliveries nothing came to {queue}"
            bodies.append(body)
            if len(bodies) == limit + 1:
                channel.cancel()
            channel.basic_nack(method.delivery_tag, requeue=True)
    return bodies


def everything_is_gone(broker: Broker, *queues: str) -> bool:
    return all(broker.ready(queue) == 0 for queue in queues)


def test_a_message_is_tried_alone_and_then_ends_as_poison_and_is_kept(broker: Broker, topology: Topology) -> None:
    item = new_item()
    poison = fetched(item, b"what the decoder dies of")
    broker.put([poison.to_message()])
    deaths = die_of(broker, "grayscaler", DELIVERY_LIMIT) + die_of(broker, "grayscaler.suspects", SUSPECT_LIMIT)
    assert deaths == [poison.body] * 9
    (kept,) = broker.take("dead", 1)
    assert kept.headers["x-dead-queue"] == "grayscaler"
    assert kept.headers["x-dead-reason"] == "delivered too often without an answer from grayscaler, at last alone"
    assert ImageFetched.from_message(kept) == poison
    (told,) = broker.take("aggregator", 1)
    end = ItemFailed.from_message(told)
    assert (end.item, end.stage, end.reason) == (item, "grayscaler", Reason.POISON)
    assert everything_is_gone(broker, "grayscaler", "grayscaler.suspects", "undertaker", "aggregator", "dead")


def test_a_message_that_may_have_died_of_its_neighbours_waits_to_be_tried_alone(
    broker: Broker, topology: Topology
) -> None:
    innocent = fetched(new_item(), b"harmless")
    broker.put([innocent.to_message()])
    die_of(broker, "hasher", DELIVERY_LIMIT)
    (again,) = broker.take("hasher.suspects", 1)
    assert ImageFetched.from_message(again) == innocent
    assert everything_is_gone(broker, "hasher", "undertaker", "aggregator", "dead")


@pytest.mark.parametrize("headers", [{}, {"x-death": "none"}, {"x-death": []}, {"x-death": [5]}, {"x-death": [{}]}])
def test_a_message_that_does_not_tell_where_it_died_is_buried(topology: Topology, headers: dict[str, object]) -> None:
    message = Message("image.fetched", "", "", headers, b"?")
    ((dead,),) = Undertaker(topology).handle([message])
    assert dead.exchange == f"{topology.exchange}.dead"
    assert dead.message.headers["x-dead-queue"] == "unknown"


def test_who_died_of_being_told_of_poison_is_not_told_again(topology: Topology) -> None:
    """Otherwise an item that the aggregator dies of would be told of, and kill it, for ever."""
    deaths = [{"queue": topology.queue("aggregator.suspects")}]
    told = [failed(new_item(), reason).to_message().with_headers(**{"x-death": deaths}) for reason in Reason]
    given = Undertaker(topology).handle(told)
    again = {reason for reason, publications in zip(Reason, given, strict=True) if len(publications) == 2}
    assert again == set(Reason) - {Reason.POISON}
    assert {publications[0].message.headers["x-dead-queue"] for publications in given} == {"aggregator"}
