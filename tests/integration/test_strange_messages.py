"""Messages of strangers in every queue: each is buried with the reason, others go on, and nobody dies of any."""

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pika
import pytest

from common.crew import Consumer
from common.database import Database
from common.dead_letters import DeadLetters
from common.handling import Stage
from common.message import MAX_BODY_BYTES, Message
from common.settings import Settings
from common.tally import tally
from common.topology import Topology
from deploy.local.ports import free_ports
from tests.fleet import Process, eventually
from tests.integration.runtime import Broker, working
from tests.integration.runtime import submitted as url_submitted
from tests.integration.test_metrics_under_load import scrape, value
from tests.join_world import submitted
from tests.some_facts import fetched, grayscaled, hashed, new_item

BODY = b"\x40 an image's bytes"
OTHER_SIZE = struct.pack(">II", 9, 9)
Change = Callable[[Message], Message]
CHANGES: dict[str, tuple[Change, str]] = {
    "no message_id": (lambda message: replace(message, message_id=""), "message_id"),
    "a message_id that is no UUID": (lambda message: replace(message, message_id="no-uuid"), "message_id"),
    "an unknown version": (lambda message: message.with_headers(version=99), "version"),
    "no headers": (lambda message: replace(message, headers={}), "version"),
    "a body that is no JSON": (lambda message: replace(message, body=b"\xff{"), "JSON"),
    "an MD5 of 31 digits": (lambda message: message.with_headers(md5="0" * 31), "md5"),
    "a negative width": (lambda message: message.with_headers(width=-3), "width"),
    "a width of another type": (lambda message: message.with_headers(width={"$gt": 0}), "width"),
    "another size than its header's": (
        lambda message: replace(message, body=message.body[:16] + OTHER_SIZE + message.body[24:]),
        "PNG",
    ),
    "no body": (lambda message: replace(message, body=b""), "body"),
    "a type that nobody knows": (lambda message: replace(message, type="nobody.knows"), "type"),
    "no type": (lambda message: replace(message, type=""), "type"),
    "a URL that is a number": (lambda message: message.with_headers(url=5), "url"),
    "a negative round": (lambda message: message.with_headers(round=-1), "round"),
}
STRANGE = {
    "fetcher": ["an unknown version", "no headers", "a body that is no JSON", "a URL that is a number"],
    "scraper": ["an unknown version", "no headers"],
    "hasher": ["no message_id", "a message_id that is no UUID", "an unknown version", "no headers", "no body"],
    "grayscaler": ["no message_id", "a message_id that is no UUID", "no headers", "no body", "a negative round"],
    "aggregator": ["no message_id", "an MD5 of 31 digits", "a type that nobody knows", "no type", "no headers"],
    "aggregator.gray": [
        *("no message_id", "a negative width", "a width of another type", "another size than its header's"),
        *("no body", "an unknown version"),
    ],
}
"""What is put into which queue; among good messages that are handled."""
SERVICES = ("fetcher", "scraper", "hasher", "grayscaler", "aggregator")


def good(queue: str) -> Message:
    makers: dict[str, Callable[[], Any]] = {
        "hasher": lambda: fetched(new_item(), BODY).to_message(),
        "grayscaler": lambda: fetched(new_item(), BODY).to_message(),
        "aggregator": lambda: hashed(new_item(), BODY).to_message(),
        "aggregator.gray": lambda: grayscaled(new_item(), BODY).to_message(),
    }
    return makers.get(queue, url_submitted)()


@pytest.fixture
def workers(
    environment: dict[str, str], topology: Topology, tmp_path: Path
) -> Iterator[dict[str, tuple[Process, int]]]:
    """Run one worker of each kind, each with a port for its metrics."""
    with ExitStack() as stack:
        started = {}
        for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True):
            process = Process(name, {**environment, "METRICS_PORT": str(port)}, tmp_path / f"{name}.log")
            stack.callback(process.kill)
            started[name] = (process, port)
        for process, _ in started.values():
            process.wait_until_consuming()
        yield started


def test_each_is_buried_with_its_reason_and_counted_and_nobody_dies(
    database: Database, settings: Settings, topology: Topology, workers: dict[str, tuple[Process, int]]
) -> None:
    broker, letters = Broker(settings, topology), DeadLetters(database)
    (neighbour,) = submitted(database)
    expected = [(queue, CHANGES[name]) for queue, names in STRANGE.items() for name in names]
    with broker.channel() as channel:
        for queue, (change, _) in expected:
            message = change(good(queue))
            properties = pika.BasicProperties(
                message_id=message.message_id or None, type=message.type or None, headers=dict(message.headers)
            )
            channel.basic_publish("", topology.queue(queue), message.body, properties)
    broker.put([hashed(neighbour, BODY).to_message(), grayscaled(neighbour, BODY).to_message()])
    eventually(lambda: letters.count() == len(expected), what="all are buried")
    found = [(letter.queue, letter.reason) for letter in letters.newest(100)]
    for queue, (_, says) in expected:
        match = next((each for each in found if each[0] == queue and says in each[1]), None)
        assert match is not None, (queue, says, found)
        found.remove(match)
    eventually(lambda: tally(database, neighbour.task_id).success == 1, what="its neighbour is stored")
    assert {queue: broker.ready(queue) for queue in STRANGE} == dict.fromkeys(STRANGE, 0)
    counted = Counter(queue for queue, _ in expected)
    for queue, count in counted.items():
        _, port = workers[queue.partition(".")[0]]
        assert value(scrape(port), "graymill_dead_lettered_total", queue=queue) == count
        assert value(scrape(port), "graymill_reconnects_total") == 0
    assert [process.terminate() for process, _ in workers.values()] == [0] * len(workers)


def test_a_body_over_the_brokers_cap_is_refused_here_and_the_connection_goes_on(
    settings: Settings, topology: Topology
) -> None:
    def handle(message: Message) -> Iterator[Message]:
        longest = MAX_BODY_BYTES + (1 if message.headers["url"].endswith("/2") else 0)
        yield replace(message, type="image.fetched", body=bytes(longest))

    broker = Broker(settings, topology)
    with working(
        settings, topology, Consumer("fetcher", Stage("fetcher", topology).each(handle), prefetch_count=1)
    ) as it:
        broker.put([url_submitted(line) for line in (1, 2, 3)])
        eventually(lambda: broker.ready("dead") == 1 and broker.ready("hasher") == 2, what="one of three is refused")
        assert it.reconnects == 0
    [dead] = broker.take("dead", 1)
    assert "16,777,217 bytes is more than the broker takes" in dead.headers["x-dead-reason"]
