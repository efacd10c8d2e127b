"""A message that its worker dies of again and again: a second chance, then an outcome and a place among the dead."""

import threading
from collections.abc import Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from common.broker import parameters
from common.facts import ItemFailed
from common.message import Message
from common.reasons import Reason
from common.settings import Settings
from common.topology import DELIVERY_LIMIT, Topology
from common.worker import Consumer, Worker
from services.aggregator.undertaker import Undertaker
from tests.some_facts import fetched, new_item

DEADLINE_SECONDS = 30
Delivered = tuple[int, Message]


@pytest.fixture
def channel(settings: Settings, topology: Topology) -> Iterator[BlockingChannel]:
    connection = pika.BlockingConnection(parameters(settings, "tests"))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    yield channel
    connection.close()


@pytest.fixture
def undertaker(settings: Settings, topology: Topology) -> Iterator[None]:
    """Run an undertaker as the aggregator does."""
    consumer = Consumer("undertaker", Undertaker(topology).handle, prefetch_count=1)
    worker = Worker("aggregator", [consumer], parameters(settings, "undertaker"), topology, held_bytes=1 << 20)
    running = threading.Thread(target=worker.run)
    running.start()
    yield
    worker.stop()
    running.join(timeout=DEADLINE_SECONDS)
    assert not running.is_alive()


def publish(channel: BlockingChannel, topology: Topology, message: Message) -> None:
    channel.basic_publish(
        topology.exchange,
        message.type,
        message.body,
        pika.BasicProperties(
            message_id=message.message_id,
            type=message.type,
            content_type=message.content_type,
            headers=dict(message.headers),
            delivery_mode=2,
        ),
        mandatory=True,
    )


def next_from(channel: BlockingChannel, queue: str) -> Delivered:
    """Wait for the next delivery; it stays unacked."""
    for method, properties, body in channel.consume(queue, inactivity_timeout=DEADLINE_SECONDS):
        if method is None:
            pytest.fail(f"nothing came to {queue} within {DEADLINE_SECONDS} s")
        headers = properties.headers or {}
        content_type, message_id = properties.content_type or "", properties.message_id or ""
        return method.delivery_tag, Message(properties.type or "", message_id, content_type, headers, body)
    raise AssertionError


def die_of(channel: BlockingChannel, queue: str) -> list[Message]:
    """Return a message to its queue, as the end of a connection does, until the broker takes it away."""
    deaths = []
    for _ in range(DELIVERY_LIMIT + 1):
        tag, message = next_from(channel, queue)
        deaths.append(message)
        channel.basic_nack(tag, requeue=True)
    return deaths


@pytest.mark.usefixtures("undertaker")
def test_a_message_gets_a_second_chance_and_then_ends_as_poison_and_is_kept(
    channel: BlockingChannel, topology: Topology
) -> None:
    item = new_item()
    poison = fetched(item, b"what the decoder dies of")
    publish(channel, topology, poison.to_message())
    grayscaler = topology.queue("grayscaler")

    first = die_of(channel, grayscaler)
    second = die_of(channel, grayscaler)
    channel.cancel()
    tag, kept = next_from(channel, topology.queue("dead"))
    channel.basic_ack(tag)
    channel.cancel()
    tag, told = next_from(channel, topology.queue("aggregator"))
    channel.basic_ack(tag)
    channel.cancel()

    assert len(first) == len(second) == 6
    assert all(message.body == poison.body for message in (*first, *second, kept))
    assert {message.message_id for message in (*first, *second, kept)} == {str(poison.message_id)}
    assert kept.headers["x-dead-queue"] == "grayscaler"
    assert kept.headers["x-dead-reason"] == "delivered too often without an answer from grayscaler"
    end = ItemFailed.from_message(told)
    assert (end.item, end.stage, end.reason) == (item, "grayscaler", Reason.POISON)
    for queue in ("grayscaler", "undertaker", "aggregator", "dead"):
        assert channel.queue_declare(topology.queue(queue), passive=True).method.message_count == 0


@pytest.mark.usefixtures("undertaker")
def test_a_message_that_only_died_of_its_neighbours_is_worked_on_as_before(
    channel: BlockingChannel, topology: Topology
) -> None:
    innocent = fetched(new_item(), b"harmless")
    publish(channel, topology, innocent.to_message())
    die_of(channel, topology.queue("hasher"))
    tag, again = next_from(channel, topology.queue("hasher"))
    assert type(innocent).from_message(again) == innocent
    channel.basic_ack(tag)
    channel.cancel()
    for queue in ("hasher", "undertaker", "aggregator", "dead"):
        assert channel.queue_declare(topology.queue(queue), passive=True).method.message_count == 0
