"""Names of exchanges and queues, and where publications go."""

from collections.abc import Mapping
from typing import Any

import pytest

from common.message import MAX_BODY_BYTES, Message, Publication
from common.settings import Settings
from common.topology import BINDINGS, Topology

MESSAGE = Message("image.hashed", "id", "text/plain", {"kept": 1}, b"body")


class NotingChannel:
    """Notes what is declared on it."""

    def __init__(self) -> None:
        self.exchanges: dict[str, str] = {}
        self.queues: dict[str, Mapping[str, Any]] = {}
        self.bindings: set[tuple[str, str, str]] = set()
        self.deleted: set[str] = set()

    def exchange_declare(self, name: str, kind: str, *, durable: bool) -> None:
        assert durable
        self.exchanges[name] = kind

    def queue_declare(self, name: str, *, durable: bool, arguments: Mapping[str, Any]) -> None:
        assert durable
        self.queues[name] = arguments

    def queue_bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        assert queue in self.queues
        assert exchange in self.exchanges
        self.bindings.add((queue, exchange, routing_key))

    def queue_delete(self, name: str) -> None:
        self.deleted.add(name)

    def exchange_delete(self, name: str) -> None:
        self.deleted.add(name)


def declared(topology: Topology) -> NotingChannel:
    channel = NotingChannel()
    topology.declare(channel)  # type: ignore[arg-type]
    return channel


def test_everything_stands_under_the_prefix() -> None:
    channel = declared(Topology("here."))
    names = {*channel.exchanges, *channel.queues}
    assert names
    assert all(name.startswith("here.") for name in names)


def test_two_prefixes_share_nothing() -> None:
    one, other = (declared(Topology(prefix)) for prefix in ("one.", ""))
    assert not {*one.exchanges, *one.queues} & {*other.exchanges, *other.queues}


def test_what_is_declared_is_deleted() -> None:
    topology = Topology("here.", delays_seconds=(1, 7))
    channel = declared(topology)
    topology.delete(channel)  # type: ignore[arg-type]
    assert channel.deleted == {*channel.exchanges, *channel.queues}


def test_an_image_goes_to_the_hasher_and_the_grayscaler() -> None:
    bindings = declared(Topology()).bindings
    assert {queue for queue, exchange, key in bindings if (exchange, key) == ("graymill", "image.fetched")} == {
        "hasher",
        "grayscaler",
    }


@pytest.mark.parametrize("queue", BINDINGS)
def test_a_message_delivered_too_often_goes_to_the_undertaker(queue: str) -> None:
    channel = declared(Topology())
    arguments = channel.queues[queue]
    assert arguments["x-delivery-limit"] == 5
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-dead-letter-exchange"] == "graymill.undelivered"
    assert ("undertaker", "graymill.undelivered", "#") in channel.bindings


@pytest.mark.parametrize("queue", BINDINGS)
def test_who_is_tried_alone_has_a_queue_and_a_lower_limit(queue: str) -> None:
    arguments = declared(Topology("here.")).queues[f"here.{queue}.suspects"]
    assert arguments["x-delivery-limit"] == 2
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-dead-letter-exchange"] == "here.graymill.undelivered"
    assert "x-max-length-bytes" not in arguments


def test_a_workers_word_that_it_is_busy_ends_by_itself() -> None:
    topology = Topology("here.")
    assert declared(topology).queues["here.busy"] == {"x-queue-type": "quorum", "x-message-ttl": 15_000}
    assert topology.busy("hasher").routing_key == "here.busy"


def test_a_queue_of_images_is_bounded_and_one_of_small_facts_is_not() -> None:
    queues = declared(Topology(queue_max_bytes=5_000_000)).queues
    bounded = {name for name, arguments in queues.items() if arguments.get("x-max-length-bytes") == 5_000_000}
    assert bounded == {"hasher", "grayscaler", "aggregator.gray"}
    assert all(queues[name]["x-overflow"] == "reject-publish" for name in bounded)


def test_a_delay_queue_gives_back_after_its_time_to_the_queue_named_by_the_routing_key() -> None:
    queues = declared(Topology(delays_seconds=(1, 60))).queues
    assert queues["delay.60s"]["x-message-ttl"] == 60_000
    assert queues["delay.60s"]["x-dead-letter-exchange"] == ""
    assert "x-dead-letter-routing-key" not in queues["delay.60s"]


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_the_queue_type_is_a_setting(queue_type: str) -> None:
    topology = Topology.of(Settings.from_environ({"QUEUE_TYPE": queue_type, "AMQP_PREFIX": "here."}))
    assert {arguments["x-queue-type"] for arguments in declared(topology).queues.values()} == {queue_type}


@pytest.mark.parametrize(
    ("seconds", "exchange"),
    [(0, "5s"), (4.9, "5s"), (5, "5s"), (29.9, "5s"), (30, "30s"), (299, "30s"), (300, "300s"), (1e6, "300s")],
)
def test_a_delay_is_the_longest_that_fits_or_the_shortest_there_is(seconds: float, exchange: str) -> None:
    publication = Topology(delays_seconds=(5, 30, 300)).delayed("hasher", MESSAGE, seconds)
    assert publication == Publication(f"graymill.delay.{exchange}", "hasher", MESSAGE)


def test_a_fact_goes_by_its_type_and_a_direct_message_by_the_queues_name() -> None:
    topology = Topology("here.")
    assert topology.fact(MESSAGE) == Publication("here.graymill", "image.hashed", MESSAGE)
    assert topology.direct("hasher", MESSAGE) == Publication("", "here.hasher", MESSAGE)


def test_a_dead_message_keeps_its_headers_beside_the_reason() -> None:
    headers = Topology().dead("hasher", MESSAGE, "why").message.headers
    assert headers == {"kept": 1, "x-dead-reason": "why", "x-dead-queue": "hasher"}


def test_a_body_over_the_brokers_cap_is_refused_before_it_is_sent() -> None:
    fitting = Message("image.fetched", "id", "image/png", {}, bytes(MAX_BODY_BYTES))
    assert Topology().fact(fitting)
    with pytest.raises(ValueError, match="16,777,217 bytes"):
        Topology().fact(Message("image.fetched", "id", "image/png", {}, bytes(MAX_BODY_BYTES + 1)))
