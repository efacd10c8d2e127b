"""A stack of its own to measure: the servers and the services as children of this process, in a temporary folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from common.database import Database, connect, create_indexes
from common.settings import Settings
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.server import running

SERVERS = ("rabbitmq", "mongod")
SERVERS_OWN = {"admin", "config", "local"}


@dataclass(frozen=True)
class Stack:
    """Its processes by name, and the variables that its command line runs with."""

    processes: Mapping[str, psutil.Process]
    environment: Mapping[str, str]

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the services' database for the length of a `with` block."""
        database = connect(Settings.from_environ(self.environment).mongo_url, application="bench")
        try:
            yield database
        finally:
            database.client.close()

    def empty(self) -> None:
        """Forget all that is stored, so that runs do not know each other's URLs.

        Every database but the server's own is dropped, whatever collections it has. What services hold in memory is
        about tasks that are over.
        """
        with self.database() as database:
            for name in set(database.client.list_database_names()) - SERVERS_OWN:
                database.client.drop_database(name)
            create_indexes(database)


@contextmanager
def started(folder: Path, counts: Mapping[str, int], overlay: Mapping[str, str]) -> Iterator[Stack]:
    """Have a stack with so many of each worker for the length of a `with` block."""
    ports = free_ports(4)
    rabbitmq = RabbitMQ(folder=folder / "rabbitmq", port=ports[0], distribution_port=ports[1], epmd_port=ports[2])
    mongodb = MongoDB(folder=folder / "mongodb", port=ports[3])
    environment = {
        **os.environ,
        "AMQP_URL": rabbitmq.url,
        "MONGO_URL": mongodb.url,
        "FETCH_ALLOW_NETS": "127.0.0.2/32",
        **overlay,
    }
    with ExitStack() as stack:
        processes = {
            "rabbitmq": psutil.Process(stack.enter_context(running(rabbitmq, folder / "rabbitmq.log")).pid),
            "mongod": psutil.Process(stack.enter_context(running(mongodb, folder / "mongod.log")).pid),
        }
        for service, count in counts.items():
            for number in range(1, count + 1):
                name = f"{service} {number}" if count > 1 else service
                processes[name] = stack.enter_context(serve(service, folder / f"{name}.log", environment))
        yield Stack(processes, environment)


@contextmanager
def serve(name: str, log: Path, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Have a service for the length of a `with` block."""
    with log.open("wb") as output:
        command = [sys.executable, "-m", f"services.{name}"]
        process = psutil.Popen(command, env=dict(environment), stderr=output, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)
