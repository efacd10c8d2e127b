"""What worker and publisher do when the broker goes away, is blocked, or cuts their connection."""

import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from common.broker import declare, parameters
from common.crew import Consumer
from common.errors import Unavailable
from common.message import Message, Publication
from common.publisher import Publisher
from common.settings import Settings
from common.topology import Topology
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from tests.fleet import eventually
from tests.integration.runtime import Broker, submitted, working
from tests.killable import KillableBroker


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillableBroker]:
    folder = tmp_path_factory.mktemp("broker")
    port, distribution_port, epmd_port = free_ports(3)
    server = RabbitMQ(folder=folder / "data", port=port, distribution_port=distribution_port, epmd_port=epmd_port)
    broker = KillableBroker(server, folder / "log")
    yield broker
    broker.stop()


@pytest.fixture
def own_settings(own_broker: KillableBroker, request: pytest.FixtureRequest) -> Settings:
    prefix = f"{abs(hash(request.node.name)) % 10**8}."
    return Settings.from_environ({"AMQP_URL": own_broker.url, "AMQP_PREFIX": prefix})


@pytest.fixture
def own_topology(own_settings: Settings) -> Topology:
    return Topology.of(own_settings)


def pass_on(topology: Topology, messages: Sequence[Message]) -> list[list[Publication]]:
    return [[topology.direct("dead", message)] for message in messages]


def test_a_killed_broker_that_comes_back_loses_nothing_and_needs_no_help(
    own_broker: KillableBroker, own_settings: Settings, own_topology: Topology
) -> None:
    published = [submitted(line) for line in range(1, 2001)]
    publisher = Publisher("tests", parameters(own_settings, "tests"), own_topology, patience_seconds=60)
    begun = threading.Event()

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        begun.set()
        return pass_on(own_topology, messages)

    with working(own_settings, own_topology, Consumer("fetcher", handle, prefetch_count=50, batch_size=5)):
        publishing = threading.Thread(
            target=publisher.publish, args=[[own_topology.fact(message) for message in published]]
        )
        publishing.start()
        assert begun.wait(20)
        own_broker.kill()
        own_broker.restart()
        publishing.join(60)
        publisher.flush()
        broker = Broker(own_settings, own_topology)
        wanted = {message.headers["url"] for message in published}
        got: set[str] = set()

        def all_came() -> bool:
            # What was delivered again comes twice, so it is the different ones that count.
            got.update(message.headers["url"] for message in broker.take("dead", broker.ready("dead")))
            return got >= wanted

        eventually(all_came, deadline_seconds=60, what="all are passed on")
    publisher.close()
    assert got == wanted


def test_a_connection_that_the_broker_closes_is_made_again(
    own_broker: KillableBroker, own_settings: Settings, own_topology: Topology
) -> None:
    broker = Broker(own_settings, own_topology)

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        return pass_on(own_topology, messages)

    with working(own_settings, own_topology, Consumer("fetcher", handle, prefetch_count=5)) as worker:
        eventually(lambda: worker.is_connected, what="the worker is connected")
        assert worker.reconnects == 0
        own_broker.control("close_all_connections", "a test")
        eventually(lambda: _declared(broker), what="the worker has declared its queues")
        broker.put([submitted(1)])
        assert len(broker.take("dead", 1)) == 1
        assert worker.is_connected
        assert worker.reconnects >= 1


def test_a_blocked_broker_is_waited_for_and_then_everything_goes_on(
    own_broker: KillableBroker, own_settings: Settings, own_topology: Topology
) -> None:
    publisher = Publisher("tests", parameters(own_settings, "tests"), own_topology, patience_seconds=60)
    eventually(lambda: publisher.ready, what="the publisher is connected")
    own_broker.control("set_vm_memory_high_watermark", "0.0001")
    try:
        publisher.publish([own_topology.fact(submitted(1))])
        eventually(lambda: not publisher.ready, deadline_seconds=10, what="the publisher tells that it is blocked")
    finally:
        own_broker.control("set_vm_memory_high_watermark", "absolute", "1GiB")
    publisher.flush()
    eventually(lambda: publisher.ready, what="the publisher is told that it may go on")
    broker = Broker(own_settings, own_topology)
    eventually(lambda: broker.ready("fetcher") == 1, what="it is there")  # a busy broker says 0
    publisher.close()


def test_publishing_to_a_broker_that_is_away_ends_with_an_error_in_time(own_settings: Settings) -> None:
    nowhere = replace(own_settings, amqp_url=f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F")
    publisher = Publisher("tests", parameters(nowhere, "tests"), Topology.of(nowhere), patience_seconds=1)
    assert not publisher.ready
    publisher.publish([publisher.topology.fact(submitted(1))])
    with pytest.raises(Unavailable, match="RabbitMQ"):
        publisher.flush()
    publisher.close()


def test_a_broker_that_says_nothing_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silence = Settings.from_environ({"AMQP_URL": f"amqp://127.0.0.1:{silent.getsockname()[1]}/%2F"})
        impatient = parameters(silence, "tests")
        impatient.stack_timeout = 0.5
        with pytest.raises(Unavailable, match="RabbitMQ: Timeout during AMQP handshake"):
            declare(impatient, Topology.of(silence))


def test_more_confirms_than_the_window_holds_are_waited_for(own_settings: Settings, own_topology: Topology) -> None:
    publisher = Publisher("tests", parameters(own_settings, "tests"), own_topology)
    publisher.publish(own_topology.fact(submitted(line)) for line in range(1, 5001))
    publisher.flush()
    broker = Broker(own_settings, own_topology)
    eventually(lambda: broker.ready("fetcher") == 5000, what="all are there")  # a busy broker says 0
    publisher.close()


def _declared(broker: Broker) -> bool:
    try:
        broker.ready("fetcher")
    except Exception:  # noqa: BLE001 - pika has several for a queue that is not there
        return False
    return True
