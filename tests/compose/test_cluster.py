"""docker-compose.cluster.yml in real containers: a node of the broker and the database's primary die."""

import itertools
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from common.database import Database, connect
from common.topology import BINDINGS
from tests.accounts import check_accounts, check_pixels
from tests.composed import CLUSTER, Project, ready_engine, service_of
from tests.fleet import eventually

pytestmark = pytest.mark.timeout(900)  # the first use builds images

LINES = 3_000
NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")
MEMBERS = ("mongodb", "mongodb-2", "mongodb-3")
HEALTHY_SECONDS = 150.0
MOST_HALVES = 32
"""A batch of an aggregator whose database died: what it had ended, and not yet thrown away, stays until it expires."""
LONGEST_SILENCE_SECONDS = 60.0
"""Between two outcomes: an election takes ten seconds or a little more, and then the workers' next try."""
SIDES = itertools.count(20, 200)
"""Where a run's picture sizes begin: none has been seen by an earlier run."""


class Cluster:
    """The project, and what its servers say of themselves."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def queues(self) -> list[dict[str, Any]]:
        return self._asked("list_queues", "name", "members", "online", "leader")

    def leader(self) -> str:
        """Name the node that leads the most queues."""
        nodes = Counter(str(queue["leader"]) for queue in self.queues())
        return nodes.most_common(1)[0][0].removeprefix("rabbit@")

    def primary(self) -> str:
        """Name the member that takes writes."""
        found: list[str] = []

        def is_there() -> bool:
            found[:] = self._primaries()
            return bool(found)

        eventually(is_there, deadline_seconds=40, what="there is a primary")
        return found[0]

    def database(self) -> Database:
        """Open the primary by its address: the members' names mean nothing on this host."""
        return connect(self._url(self.primary()), application="tests")

    def kill(self, service: str) -> None:
        subprocess.run(["docker", "kill", "-s", "KILL", self._id(service)], check=True, capture_output=True)

    def start(self, service: str) -> None:
        subprocess.run(["docker", "start", self._id(service)], check=True, capture_output=True)

    def _id(self, service: str) -> str:
        return str(self.project.containers(service)[0]["Id"])

    def _asked(self, *question: str) -> list[dict[str, Any]]:
        node = next(service for service in NODES if self._runs(service))
        answer = self.project.compose("exec", "-T", node, "rabbitmqctl", "-q", "--formatter", "json", *question)
        rows: list[dict[str, Any]] = json.loads(answer)
        return rows

    def _runs(self, service: str) -> bool:
        return bool(self.project.containers(service)[0]["State"]["Running"])

    def _primaries(self) -> list[str]:
        return [member for member in MEMBERS if self._address(member) and self._is_primary(member)]

    def _is_primary(self, member: str) -> bool:
        client: MongoClient[dict[str, Any]]
        with MongoClient(self._url(member), serverSelectionTimeoutMS=2_000) as client:
            try:
                return bool(client.admin.command("hello")["isWritablePrimary"])
            except PyMongoError:
                return False

    def _url(self, member: str) -> str:
        host = f"graymill:{self.project.mongo_password}@{self._address(member)}"
        return f"mongodb://{host}/graymill?authSource=admin&directConnection=true"

    def _address(self, member: str) -> str:
        """Give its address; empty while it does not run."""
        networks = self.project.containers(member)[0]["NetworkSettings"]["Networks"]
        return str(networks[f"{self.project.name}_processing"]["IPAddress"])


class Run:
    """Three thousand lines on their way through the command line in the fetcher's container."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._process = cluster.project.publishing_inside(lines_of_a_run())

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def reaches(self, part: float) -> None:
        """Wait until so much of it has its outcome, and check that it is not over: what follows hits it midway."""
        database = self._cluster.database()
        try:
            wanted = part * LINES
            eventually(lambda: has_finished(database, wanted), deadline_seconds=90, what=f"{part:.0%} of the run")
        finally:
            database.client.close()
        assert self._process.poll() is None, self._process.communicate()

    def ends_well(self, database: Database) -> None:
        output, errors = self._process.communicate(timeout=180)
        assert self._process.returncode == 0, errors
        task_id = UUID(json.loads(output)["task"])
        outcomes = check_accounts(database, task_id, LINES)
        assert outcomes == {"success": 180, "duplicate": LINES - LINES // 10 - 180, "error": LINES // 10}
        assert database["halves"].count_documents({}) <= MOST_HALVES


def has_finished(database: Database, wanted: float) -> bool:
    try:
        return database["items"].count_documents({"finished_at": {"$exists": True}}) >= wanted
    except PyMongoError:
        return False  # its servers are among those that are killed


def lines_of_a_run() -> Sequence[str]:
    """Two hundred pictures nobody has seen, many times each, with a tenth of lines that fail, mixed."""
    first = next(SIDES)
    pictures = [f"http://samples:8081/photo/coffee/{side}/{40 + side % 60}.png" for side in range(first, first + 200)]
    failing = ["http://samples:8081/error/100", "http://samples:8081/9000/9000"]
    return [failing[n // 10 % 2] if n % 10 == 9 else pictures[n % 200] for n in range(LINES)]


def longest_silence(database: Database) -> float:
    """Give the longest time in seconds between an outcome and the next."""
    ends: list[datetime] = sorted(item["finished_at"] for item in database["items"].find({}, {"finished_at": 1}))
    return max((later - earlier).total_seconds() for earlier, later in pairwise(ends))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    ready_engine()
    project = Project(files=CLUSTER, healthy_seconds=HEALTHY_SECONDS)
    try:
        project.compose("build")
        project.up(grayscaler=2)
        yield Cluster(project)
    finally:
        project.down("--volumes", "--timeout", "2")


def test_every_queue_is_on_three_nodes(cluster: Cluster) -> None:
    queues = cluster.queues()
    assert BINDINGS.keys() <= {queue["name"] for queue in queues}
    everywhere = {f"rabbit@{node}" for node in NODES}
    assert {queue["name"]: set(queue["members"]) for queue in queues} == {queue["name"]: everywhere for queue in queues}


def test_a_node_of_the_broker_and_the_primary_of_the_database_killed_midway_lose_nothing(
    cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    node = cluster.leader()
    with Run(cluster) as running:
        running.reaches(0.15)
        cluster.kill(node)
        primary = cluster.primary()
        running.reaches(0.4)  # without it
        cluster.kill(primary)
        running.reaches(0.7)  # without both
        cluster.start(primary)
        cluster.start(node)
        running.ends_well(database := cluster.database())
    try:
        check_pixels(database)
        silence = longest_silence(database)
        record_property("longest silence in seconds", silence)
        print(f"longest silence {silence:.1f} s")  # noqa: T201
        assert silence < LONGEST_SILENCE_SECONDS
    finally:
        database.client.close()


def test_who_was_killed_is_back_with_all_queues(cluster: Cluster) -> None:
    def is_whole() -> bool:
        return all(len(queue["online"]) == len(NODES) for queue in cluster.queues())

    eventually(lambda: not cluster.project.unhealthy(), deadline_seconds=HEALTHY_SECONDS, what="all healthy again")
    eventually(is_whole, deadline_seconds=60, what="every queue has its three members online")
    assert {service_of(container) for container in cluster.project.containers()} >= {*NODES, *MEMBERS}
