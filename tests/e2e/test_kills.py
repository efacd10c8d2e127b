"""Nothing is lost and nothing is counted twice when any one part is killed in the middle of a run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from common.database import Database, connect, create_indexes
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.rabbitmq import RabbitMQ
from samples.site import serving
from tests.accounts import check_accounts, check_pixels
from tests.fleet import Process, eventually
from tests.killable import Killable

LINES = 2_000
WORKERS = ["fetcher", "hasher", "grayscaler", "grayscaler", "grayscaler", "grayscaler", "aggregator", "aggregator"]


class World:
    """Servers and workers, and the command line."""

    def __init__(self, folder: Path) -> None:
        port, distribution_port, epmd_port, mongo_port = free_ports(4)
        rabbitmq = RabbitMQ(
            folder=folder / "rabbitmq", port=port, distribution_port=distribution_port, epmd_port=epmd_port
        )
        mongodb = MongoDB(folder=folder / "mongodb", port=mongo_port)
        self.folder = folder
        self.environment = {
            "AMQP_URL": rabbitmq.url,
            "MONGO_URL": mongodb.url,
            "FETCH_ALLOW_NETS": "127.0.0.2/32",
            "RETRY_DELAYS_SECONDS": "1,2,4",
        }
        self.parts: dict[str, Killable | Process] = {
            "rabbitmq": Killable(rabbitmq, folder / "rabbitmq.log"),
            "mongod": Killable(mongodb, folder / "mongod.log"),
        }
        self.database: Database = connect(mongodb.url, application="tests")
        create_indexes(self.database)
        for number, service in enumerate(WORKERS):
            name = service if service not in self.parts else f"{service} {number}"
            self.parts[name] = Process(service, self.environment, folder / f"{name}.log")
        for part in self.parts.values():
            if isinstance(part, Process):
                part.wait_until_consuming()

    def publish(self, urls: list[str]) -> subprocess.Popen[str]:
        file = self.folder / "urls.txt"
        file.write_text("\n".join(urls))
        command = [str(Path(sys.executable).parent / "fetcher"), "publish", str(file), "--wait", "--json"]
        environment = {**os.environ, **self.environment}
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finished(self) -> int:
        return self.database["items"].count_documents({"finished_at": {"$exists": True}})

    def is_handed_in(self) -> bool:
        """Tell whether the whole list is in the ledger: until then who hands it in needs both servers."""
        return self.database["tasks"].count_documents({"total": LINES}) == 1

    def stop(self) -> None:
        for part in self.parts.values():
            if isinstance(part, Process):
                part.kill()
        for part in self.parts.values():
            if isinstance(part, Killable):
                part.stop()
        self.database.client.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving("127.0.0.2", 0) as site:
        yield site.base_url


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.stop()


def urls_of(site: str) -> list[str]:
    """Two hundred sizes, nine times each, with a tenth of lines that fail, mixed."""
    sizes = [f"{site}/{width}/{width + 1}" for width in range(20, 220)]
    failing = [f"{site}/error/100", f"{site}/9000/9000"]
    lines = [failing[n // 10 % 2] if n % 10 == 9 else sizes[n % 200] for n in range(LINES)]
    assert sum(line in failing for line in lines) == LINES // 10
    return lines


@pytest.mark.parametrize("victim", ["fetcher", "hasher", "grayscaler", "aggregator", "rabbitmq", "mongod"])
def test_a_killed_part_loses_nothing_and_doubles_nothing(world: World, site: str, victim: str) -> None:
    for name in ("tasks", "items", "images", "grays", "originals", "halves"):
        world.database[name].delete_many({})
    publishing = world.publish(urls_of(site))
    try:
        under_way = LINES // 5
        eventually(
            lambda: world.is_handed_in() and world.finished() > under_way, deadline_seconds=60, what="it is under way"
        )
        world.parts[victim].kill()
        killed_at = world.finished() if victim != "mongod" else 0
        world.parts[victim].restart()
        output, errors = publishing.communicate(timeout=180)
    finally:
        publishing.kill()
    assert publishing.returncode == 0, errors
    assert killed_at < LINES, "the run was over before the kill"
    ledger = json.loads(output)
    outcomes = check_accounts(world.database, UUID(ledger["task"]), LINES)
    assert outcomes == {"success": 180, "duplicate": LINES - LINES // 10 - 180, "error": LINES // 10}
    assert {(error["reason"], error["status"], error["count"]) for error in ledger["errors"]} == {
        ("http_4xx", 404, 100),
        ("http_4xx", 400, 100),
    }
    check_pixels(world.database)


def test_workers_told_to_end_under_load_end_in_time_and_lose_nothing(world: World, site: str) -> None:
    for name in ("tasks", "items", "images", "grays", "originals", "halves"):
        world.database[name].delete_many({})
    publishing = world.publish(urls_of(site))
    workers = [part for part in world.parts.values() if isinstance(part, Process)]
    codes = []
    try:
        eventually(lambda: world.finished() > LINES // 10, deadline_seconds=60, what="the run is under way")
        for worker in workers:
            codes.append(worker.terminate(deadline_seconds=10))
            worker.restart()
        output, errors = publishing.communicate(timeout=180)
    finally:
        publishing.kill()
    assert publishing.returncode == 0, errors
    assert codes == [0] * len(workers)
    check_accounts(world.database, UUID(json.loads(output)["task"]), LINES)
