"""RabbitMQ and mongod for one measurement, and services beside them that come and go."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import pika
import psutil
from pika.adapters.blocking_connection import BlockingChannel

from bench.growth.origin import ADDRESSES
from bench.stack import Stack, serve
from common.database import Database
from common.settings import Settings
from common.topology import Topology
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.server import running, start, stop

Processes = Mapping[str, psutil.Process]


class Servers:
    """Both servers, in a folder of their own."""

    def __init__(self, folder: Path, overlay: Mapping[str, str]) -> None:
        amqp, distribution, epmd, mongo = free_ports(4)
        self.folder = folder
        self.rabbitmq = RabbitMQ(folder=folder / "rabbitmq", port=amqp, distribution_port=distribution, epmd_port=epmd)
        self.mongodb = MongoDB(folder=folder / "mongodb", port=mongo)
        self.environment = {
            **os.environ,
            "AMQP_URL": self.rabbitmq.url,
            "MONGO_URL": self.mongodb.url,
            "FETCH_ALLOW_NETS": ",".join(f"{address}/32" for address in ADDRESSES),
            **overlay,
        }
        self.settings = Settings.from_environ(self.environment)
        self._broker: subprocess.Popen[bytes] | None = None
        self._mongod: subprocess.Popen[bytes] | None = None

    @contextmanager
    def started(self) -> Iterator[None]:
        """Have both run for the length of a `with` block."""
        with running(self.mongodb, self.folder / "mongod.log") as self._mongod:
            self.start_broker()
            try:
                self.empty()
                yield
            finally:
                self.stop_broker()

    def start_broker(self) -> float:
        """Start RabbitMQ; gives the seconds until it answered."""
        began = time.monotonic()
        self._broker = start(self.rabbitmq, self.folder / "rabbitmq.log")
        return time.monotonic() - began

    def stop_broker(self) -> None:
        """Stop it in order."""
        if self._broker is not None:
            stop(self._broker)
            self._broker = None

    @property
    def processes(self) -> Processes:
        """Give both."""
        both = {"rabbitmq": self._broker, "mongod": self._mongod}
        return {name: psutil.Process(process.pid) for name, process in both.items() if process is not None}

    @contextmanager
    def services(self, **counts: int) -> Iterator[Processes]:
        """Have so many of each service for the length of a `with` block."""
        with ExitStack() as entered:
            processes = {}
            for service, count in counts.items():
                for number in range(1, count + 1):
                    name = f"{service} {number}" if count > 1 else service
                    process = entered.enter_context(serve(service, self.folder / f"{name}.log", self.environment))
                    entered.callback(_wake, process)
                    processes[name] = process
            yield processes

    def database(self) -> AbstractContextManager[Database]:
        """Open the services' database for the length of a `with` block."""
        return Stack(self.processes, self.environment).database()

    def empty(self) -> None:
        """Forget all that is stored."""
        Stack(self.processes, self.environment).empty()

    @contextmanager
    def queues(self) -> Iterator["Queues"]:
        """Have the topology declared, and its queues to look at."""
        parameters = pika.URLParameters(self.rabbitmq.url)
        parameters.heartbeat = 0  # looked at now and then only
        connection = pika.BlockingConnection(parameters)
        topology = Topology.of(self.settings)
        try:
            channel = connection.channel()
            topology.declare(channel)
            yield Queues(channel, topology)
        finally:
            connection.close()

    @property
    def broker_disk_bytes(self) -> int:
        """Give what RabbitMQ's files take on disk."""
        return sum(path.stat().st_blocks * 512 for path in self._broker_files("*"))

    @property
    def broker_segments(self) -> int:
        """Count the files that queues' logs are kept in."""
        return sum(1 for _ in self._broker_files("*.segment"))

    def _broker_files(self, pattern: str) -> Iterator[Path]:
        return (path for path in self.rabbitmq.folder.rglob(pattern) if path.is_file())


class Queues:
    """What waits in the broker's queues."""

    def __init__(self, channel: BlockingChannel, topology: Topology) -> None:
        self._channel = channel
        self._topology = topology

    def waiting(self, name: str) -> int:
        """Count the messages of a queue that nobody holds."""
        count: int = self._channel.queue_declare(self._topology.queue(name), passive=True).method.message_count
        return count

    def consumers(self, name: str) -> int:
        """Count the consumers of a queue."""
        count: int = self._channel.queue_declare(self._topology.queue(name), passive=True).method.consumer_count
        return count

    def purge(self) -> None:
        """Throw all messages away."""
        for name in self._topology.queues:
            self._channel.queue_purge(self._topology.queue(name))


@contextmanager
def servers(**overlay: str) -> Iterator[Servers]:
    """Have both servers, new and empty, for the length of a `with` block, the services' settings laid over."""
    folder = Path(tempfile.mkdtemp(prefix="graymill-growth-"))
    ours = Servers(folder, overlay)
    try:
        with ours.started():
            yield ours
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wake(process: psutil.Process) -> None:
    """Let a process that was stopped go on, so that it can end."""
    with suppress(psutil.NoSuchProcess):
        process.resume()
