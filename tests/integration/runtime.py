"""Workers inside the test's own process, and a look at the queues from outside."""

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pika

from common.broker import parameters
from common.crew import Consumer
from common.facts import UrlSubmitted
from common.items import Item, item_id
from common.message import Message
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker


def submitted(line: int = 1) -> Message:
    """Make a message that a fetcher would get."""
    task_id = uuid.uuid4()
    return UrlSubmitted(Item(task_id, item_id(task_id, line), f"http://127.0.0.2/{line}")).to_message()


class Broker:
    """A plain connection of the test's own."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        self._parameters = parameters(settings, "tests")
        self.topology = topology

    @contextmanager
    def channel(self) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
        connection = pika.BlockingConnection(self._parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def put(self, messages: Sequence[Message], exchange: str | None = None) -> None:
        with self.channel() as channel:
            channel.confirm_delivery()
            for message in messages:
                properties = pika.BasicProperties(
                    message_id=message.message_id,
                    type=message.type,
                    content_type=message.content_type,
                    headers=dict(message.headers),
                    delivery_mode=2,
                )
                channel.basic_publish(
                    self.topology.exchange if exchange is None else exchange, message.type, message.body, properties
                )

    def ready(self, queue: str) -> int:
        """Count the messages that wait in a queue, those delivered and not acked left out."""
        with self.channel() as channel:
            count: int = channel.queue_declare(self.topology.queue(queue), passive=True).method.message_count
            return count

    def take(self, queue: str, count: int) -> list[Message]:
        """Take messages out of a queue, and none besides: each one that is returned counts to its delivery limit."""
        taken: list[Message] = []
        if count == 0:
            return taken
        with self.channel() as channel:
            channel.basic_qos(prefetch_count=count)
            for method, properties, body in channel.consume(self.topology.queue(queue), inactivity_timeout=30):
                assert method is not None, f"{len(taken)} of {count} messages came to {queue}"
                taken.append(
                    Message(properties.type, properties.message_id, properties.content_type, properties.headers, body)
                )
                if len(taken) == count:
                    channel.basic_cancel(method.consumer_tag)
                    channel.basic_ack(method.delivery_tag, multiple=True)
                    break
        return taken


@contextmanager
def working(settings: Settings, topology: Topology, *consumers: Consumer) -> Iterator[Worker]:
    """Run a worker on a thread for the length of a `with` block."""
    worker = Worker("tests", consumers, settings, topology)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(timeout=15)
        assert not thread.is_alive(), "the worker did not stop"
