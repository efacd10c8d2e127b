"""Real servers for tests: one RabbitMQ and one MongoDB a session, a corner of each for every test.

In containers where an engine has the images of docker-compose.yml, otherwise as local processes;
TEST_SERVERS=containers or =local says which. Tests that kill servers or need rabbitmqctl have local ones of their own.
"""

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pika
import pytest

from common.broker import parameters
from common.database import Database, connect, create_indexes
from common.settings import Settings
from common.topology import Topology
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.server import running
from tests import containers


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Run a broker for the session."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    if containers.are_used():
        with containers.rabbitmq(folder) as server:
            yield server
        return
    port, distribution_port, epmd_port = free_ports(3)
    server = RabbitMQ(folder=folder / "data", port=port, distribution_port=distribution_port, epmd_port=epmd_port)
    with running(server, folder / "log"):
        yield server


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDB]:
    """Run a database server for the session."""
    folder = tmp_path_factory.mktemp("mongodb")
    if containers.are_used():
        with containers.mongodb(folder) as server:
            _keep_what_is_old(server)
            yield server
        return
    server = MongoDB(folder=folder / "data", port=free_ports(1)[0])
    with running(server, folder / "log"):
        _keep_what_is_old(server)
        yield server


def _keep_what_is_old(server: MongoDB) -> None:
    """Have nothing removed as its time is over: what tests write is years old, and once a minute all of it would go."""
    with connect(server.url, application="tests").client as client:
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)


@pytest.fixture
def database(mongodb: MongoDB) -> Iterator[Database]:
    """Give an empty database of the test's own, with its indexes."""
    database = connect(replace(mongodb, database=f"test-{secrets.token_hex(4)}").url, application="tests")
    create_indexes(database)
    yield database
    database.client.drop_database(database.name)
    database.client.close()


@pytest.fixture
def environment(rabbitmq: RabbitMQ, mongodb: MongoDB, database: Database) -> dict[str, str]:
    """Give the variables that services of this test run with: their own queues, their own database."""
    return {
        "AMQP_URL": rabbitmq.url,
        "AMQP_PREFIX": f"{database.name}.",
        "MONGO_URL": replace(mongodb, database=database.name).url,
        "RETRY_DELAYS_SECONDS": "1,2",
        "FETCH_ALLOW_NETS": "127.0.0.0/8",
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """Give the settings that these variables make."""
    return Settings.from_environ(environment)


@pytest.fixture
def topology(settings: Settings) -> Iterator[Topology]:
    """Declare the test's own exchanges and queues, and delete them after it."""
    topology = Topology.of(settings)
    connection = pika.BlockingConnection(parameters(settings, "tests"))
    topology.declare(connection.channel())
    connection.close()
    yield topology
    connection = pika.BlockingConnection(parameters(settings, "tests"))
    topology.delete(connection.channel())
    connection.close()
