"""The whole of Graymill for a test in a browser: real workers, the sample site, the API with its pages."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pika

from common.broker import parameters
from common.database import Database, connect, create_indexes
from common.publisher import Publisher
from common.settings import Settings
from common.topology import Topology
from deploy.local.mongodb import MongoDB
from deploy.local.rabbitmq import RabbitMQ
from samples.make_lists import url_list
from samples.site import serving
from services.api.app import create_app
from tests.api_world import served
from tests.fleet import eventually, fleet

WORKERS = {"fetcher": 1, "scraper": 1, "hasher": 1, "grayscaler": 1, "aggregator": 1}


@dataclass(frozen=True)
class Stack:
    """Where the API and the sample site are, and what the services work with."""

    address: str
    site: str
    database: Database


@contextmanager
def running(
    rabbitmq: RabbitMQ, mongodb: MongoDB, folder: Path, workers: Mapping[str, int] = WORKERS
) -> Iterator[Stack]:
    """Have a stack for the length of a `with` block, in a corner of these servers."""
    name = f"test-{secrets.token_hex(4)}"
    samples = folder / "urls.txt"
    environment = {
        "AMQP_URL": rabbitmq.url,
        "AMQP_PREFIX": f"{name}.",
        "MONGO_URL": replace(mongodb, database=name).url,
        "RETRY_DELAYS_SECONDS": "1,2",
        "FETCH_ALLOW_NETS": "127.0.0.2/32",
        "SAMPLES_LIST": str(samples),
    }
    settings = Settings.from_environ({**environment, "API_WRITES": "open"})
    with serving("127.0.0.2", 0) as site:
        samples.write_text(url_list(site.base_url))
        database = connect(settings.mongo_url, application="tests")
        create_indexes(database)
        topology = Topology.of(settings)
        publisher = Publisher("tests", parameters(settings, "tests"), topology)
        eventually(lambda: publisher.ready)
        try:
            with (
                fleet(workers, environment, folder),
                served(create_app(settings, database, publisher)) as address,
            ):
                yield Stack(address, site.base_url, database)
        finally:
            publisher.close()
            connection = pika.BlockingConnection(parameters(settings, "tests"))
            topology.delete(connection.channel())
            connection.close()
            database.client.drop_database(name)
            database.client.close()
