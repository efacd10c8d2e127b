"""The whole of Graymill for fault tests: own servers behind proxies, and workers that are started again when they end.

Whatever a fault did, `settle` makes everything work again, and `check` holds the ledger against what was submitted.
"""

import os
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pika
import pymongo.errors
import requests

from common.broker import CONNECTION_ERRORS, parameters
from common.database import Database, connect, create_indexes
from common.ledger import Ledger
from common.publisher import Publisher
from common.settings import Settings
from common.submission import submit
from common.topology import Topology
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from samples.site import serving
from tests.accounts import check_accounts, check_pixels
from tests.disk import Disk
from tests.fleet import CONSUMING, Process, eventually
from tests.killable import Killable, KillableBroker
from tests.supervision import Supervisor
from tests.tcp_proxy import Proxy

WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 2, "aggregator": 2}
COLLECTIONS = ("tasks", "items", "images", "grays", "originals", "halves", "hosts", "watch", "more")
LETTERS = "dead_letters"
NO_SPACE = "No space left on device"
STILL_SECONDS = 3.0
STOP_SECONDS = 12.0
"""So long a process manager waits before it kills."""


class World:
    """Servers, workers and what is between them."""

    def __init__(self, folder: Path, site: str, disk: Disk) -> None:
        self.folder, self.site, self.disk = folder, site, disk
        port, distribution_port, epmd_port, mongo_port, self._api_port = free_ports(5)
        rabbitmq = RabbitMQ(
            folder=folder / "rabbitmq", port=port, distribution_port=distribution_port, epmd_port=epmd_port
        )
        mongodb = MongoDB(folder=disk.folder / "mongodb", port=mongo_port)
        with ThreadPoolExecutor() as starting:
            broker = starting.submit(KillableBroker, rabbitmq, folder / "rabbitmq.log")
            self.mongod = Killable(mongodb, folder / "mongod.log")
            self.broker = broker.result()
        self.amqp, self.mongo = Proxy(port), Proxy(mongo_port)
        common = {
            "FETCH_ALLOW_NETS": "127.0.0.2/32",
            "FETCH_CONCURRENCY": "16",
            "RETRY_DELAYS_SECONDS": "1,2,4",
            "AMQP_HEARTBEAT_SECONDS": "5",
            "QUEUE_MAX_BYTES": str(1 << 20),
            "API_WRITES": "open",
            "API_PORT": str(self._api_port),
        }
        self.environment = {**common, "AMQP_URL": rabbitmq.url, "MONGO_URL": mongodb.url}
        self._through_proxies = {
            **common,
            "AMQP_URL": rabbitmq.url.replace(f":{port}/", f":{self.amqp.port}/"),
            "MONGO_URL": mongodb.url.replace(f":{mongo_port}/", f":{self.mongo.port}/"),
        }
        self.settings = Settings.from_environ(self.environment)
        self.topology = Topology.of(self.settings)
        self.database: Database = connect(mongodb.url, application="tests")
        create_indexes(self.database)
        self.supervisor = Supervisor()
        self._started: Counter[str] = Counter()
        self._kills: Counter[str] = Counter()
        self.workers = [self.start(service) for service, count in WORKERS.items() for _ in range(count)]
        self.supervisor.add(self._process("api", "services.api"))
        for worker in self.workers:
            worker.wait_until_consuming()
        eventually(self.is_ready, what="the API is ready")

    def start(self, service: str) -> Process:
        """Start one more worker, with a clock of its own."""
        worker = self._process(service, "tests.stepping_service", service)
        self.supervisor.add(worker)
        return worker

    def retire(self, worker: Process) -> int:
        """Tell a worker to end for good; gives its exit code."""
        self.supervisor.remove(worker)
        return worker.terminate()

    def restarted(self, worker: Process) -> int | None:
        """Tell a worker to end, and start it again; gives its exit code, or None for one that had to be killed."""
        with self.supervisor.lock:
            try:
                code = worker.terminate(deadline_seconds=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                code = None
                worker.kill()
            worker.restart()
        return code

    def kill(self, worker: Process) -> None:
        """Kill a worker, which is then started again; one that has not been yet is left alone."""
        with self.supervisor.lock:
            if worker.is_running():
                self._kills[worker.service] += 1
                worker.kill()

    def _process(self, service: str, *command: str) -> Process:
        self._started[service] += 1
        log = self.folder / f"{service}-{self._started[service]}.log"
        clock = log.with_suffix(".clock")
        clock.write_text("0")
        return Process(service, {**self._through_proxies, "CLOCK_FILE": str(clock)}, log, command=command)

    def set_clock(self, worker: Process, ahead_seconds: float) -> None:
        """Have a worker's clock be so far ahead."""
        new = worker.log_file.with_suffix(".new")
        new.write_text(str(ahead_seconds))
        new.replace(worker.log_file.with_suffix(".clock"))

    def have_no_disk(self) -> None:
        """Fill the disk, and go on writing until mongod has noticed; it may give up, or only fail to checkpoint."""
        said = self.mongod.log_bytes
        self.disk.fill()

        def has_noticed() -> bool:
            with suppress(pymongo.errors.PyMongoError), pymongo.timeout(5):
                self.database["more"].insert_one({"bytes": secrets.token_bytes(1 << 20)})
                self.database.client.admin.command("fsync")
            return NO_SPACE in self.mongod.log_from(said)

        eventually(has_noticed, what="mongod has no disk")

    def of(self, service: str) -> list[Process]:
        return [worker for worker in self.workers if worker.service == service]

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Have a channel of the test's own, past the proxy."""
        connection = pika.BlockingConnection(parameters(self.settings, "tests"))
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def queues(self) -> dict[str, tuple[int, int]]:
        """Ask the broker for the messages and consumers of each queue; gives nothing while it cannot tell."""
        try:
            with self.channel() as channel:
                methods = {
                    name: channel.queue_declare(self.topology.queue(name), passive=True).method
                    for name in self.topology.queues
                    if name != "busy"
                }
        except CONNECTION_ERRORS:
            return {}
        return {name: (method.message_count, method.consumer_count) for name, method in methods.items()}

    def all_consume(self) -> bool:
        """Tell whether the broker answers and every worker consumes, as far as that knows.

        The broker's own count of consumers is no help: after its start it still has those of before.
        """
        return bool(self.queues()) and all(worker.consumes for worker in self.workers)

    def wait_until_consuming(self) -> None:
        eventually(self.all_consume, deadline_seconds=60, what="every worker consumes")

    def connections(self) -> list[int]:
        """Count how often each worker has begun to consume."""
        return [worker.log.count(CONSUMING) for worker in self.workers]

    def is_ready(self) -> bool:
        """Ask the API's /ready."""
        try:
            return requests.get(f"http://127.0.0.1:{self._api_port}/ready", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def urls(self, lines: int, *, each_seconds: float = 0.3) -> list[str]:
        """Give lines of which a tenth fail; of the others some repeat, some differ at each request, some break once.

        Each of the rest takes so long at the site, and the fetcher has sixteen of them under way.
        """
        broken = secrets.token_hex(4)

        def url(line: int) -> str:
            match line % 20:
                case 3 | 13:
                    return f"{self.site}/error/{line}"
                case 7 | 17:
                    return f"{self.site}/changing/{60 + line % 90}/40"
                case 9:
                    return f"{self.site}/reset/{broken}-{line}/{60 + line % 90}/41"
                case _:
                    return f"{self.site}/slow/{each_seconds}/{200 + line // 2 % 150}/150"

        return [url(line) for line in range(lines)]

    def empty(self) -> None:
        """Delete what earlier runs have left."""
        for name in COLLECTIONS:
            self.database[name].delete_many({})
        self.database.drop_collection(LETTERS)  # capped: nothing can be taken out of it

    def submit(self, urls: Sequence[str]) -> UUID:
        """Publish a list as the command line does, from an empty database."""
        self.empty()
        publisher = Publisher("tests", parameters(self.settings, "tests"), self.topology)
        try:
            return submit(Ledger(self.database), publisher, urls, name=None, refresh=False)
        finally:
            publisher.close()

    def run(self, *arguments: str) -> None:
        """Run the command line."""
        command = [str(Path(sys.executable).parent / "fetcher"), *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def finished(self) -> int:
        """Count the items that have ended; none while the database is away."""
        with suppress(pymongo.errors.PyMongoError), pymongo.timeout(5):
            return self.database["items"].count_documents({"finished_at": {"$exists": True}})
        return 0

    def under_way(self, lines: int) -> None:
        """Wait until so many items have ended."""
        eventually(lambda: self.finished() >= lines, what=f"{lines} have ended")

    @staticmethod
    def pass_by(seconds: float) -> None:
        """Let a fault last."""
        threading.Event().wait(seconds)

    def finish(
        self, task_id: UUID, lines: int, *, resume: bool = False, deadline_seconds: float = 120.0
    ) -> Counter[str]:
        """Wait until every line has ended, and check the account; with `resume`, what was lost is brought home."""
        seen, since = (0, {}), time.monotonic()

        def all_ended() -> bool:
            nonlocal seen, since
            if resume and time.monotonic() - since > STILL_SECONDS:
                self.run("publish", "--resume", str(task_id))
                since = time.monotonic()
            now = (self.finished(), self.queues())
            if now != seen:
                seen, since = now, time.monotonic()
            return seen[0] == lines

        eventually(all_ended, deadline_seconds=deadline_seconds, what=f"all {lines} end")
        return self.check(task_id, lines)

    def check(self, task_id: UUID, lines: int) -> Counter[str]:
        """Hold the ledger against the list: one outcome each, nothing lost, nothing twice, every image exact."""
        outcomes = check_accounts(self.database, task_id, lines)
        check_pixels(self.database)
        failed = self.database["items"].find({"outcome": "error"}, {"url": 1, "reason": 1, "detail": 1})
        assert [item for item in failed if "/error/" not in item["url"] or item["reason"] != "http_4xx"] == []
        assert outcomes["error"] == lines // 10
        assert self.database[LETTERS].count_documents({}) == 0
        return outcomes

    def settle(self) -> None:
        """Make everything work again, and wait until it does: nobody but who was killed may have ended."""
        self.disk.free()
        for proxy in (self.amqp, self.mongo):
            proxy.heal()
        for server in (self.broker, self.mongod):
            server.thaw()
            server.ensure()
        for worker in self.workers:
            worker.thaw()
            self.set_clock(worker, 0)
        eventually(lambda: self.supervisor.deaths >= self._kills, what="who was killed is back")
        self.wait_until_consuming()
        eventually(self.is_ready, deadline_seconds=60, what="the API is ready")
        assert self.supervisor.deaths == self._kills

    def stop(self) -> None:
        """End it all."""
        self.supervisor.end()
        for proxy in (self.amqp, self.mongo):
            proxy.end()
        self.broker.stop()
        self.mongod.stop()
        self.database.client.close()


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """Have a world."""
    with Disk(folder) as disk, serving("127.0.0.2", 0) as site:
        world = World(folder, site.base_url, disk)
        try:
            yield world
        finally:
            world.stop()
