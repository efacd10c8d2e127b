"""docker-compose.yml in real containers: up, used, broken, scaled, taken down and up again."""

import hashlib
import io
import itertools
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import pika
import pytest
import requests
from pika.exceptions import ProbableAuthenticationError
from PIL import Image
from pymongo.errors import PyMongoError

from common.database import Database, connect
from tests.accounts import check_accounts, check_pixels
from tests.composed import COMPOSE, Project, ready_engine, run, service_of
from tests.fleet import eventually

pytestmark = pytest.mark.timeout(900)  # the first use builds images

SCALE = {"grayscaler": 4, "aggregator": 2}
WORKERS = ("fetcher", "scraper", "hasher", "grayscaler", "aggregator")
LINES = 2_000
PAGES = 300
MOST_HALVES = 3 * 32
"""A batch of each aggregator that died or whose database did: what was ended and not yet thrown away expires later."""
PAGE = "http://samples:8081/html"
"""A page with two images."""
KINDS = (*WORKERS, "rabbitmq", "mongodb", "api")
SIDES = itertools.count(20, 200)
"""Where a run's picture sizes begin: none has been seen by an earlier run."""


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    ready_engine()
    project = Project()
    try:
        project.compose("build")
        project.up(**SCALE)  # fails when not all are healthy within a minute
        yield project
    finally:
        project.down("--volumes", "--timeout", "2")


@pytest.fixture(scope="module")
def database(project: Project) -> Iterator[Database]:
    database = connect(project.mongo_url, application="tests")
    yield database
    database.client.close()


def lines_of_a_run() -> list[str]:
    """Two hundred pictures nobody has seen, nine times each, with a tenth of lines that fail, mixed."""
    first = next(SIDES)
    pictures = [f"http://samples:8081/photo/coffee/{side}/{40 + side % 60}.png" for side in range(first, first + 200)]
    failing = ["http://samples:8081/error/100", "http://samples:8081/9000/9000"]
    return [failing[n // 10 % 2] if n % 10 == 9 else pictures[n % 200] for n in range(LINES)]


class Run:
    """A task being published while the test does something to the containers."""

    def __init__(self, project: Project, database: Database) -> None:
        self._database = database
        self._earlier, self._halves = self._finished(), self._aside()
        self._process = project.publishing(lines_of_a_run())

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _finished(self) -> int:
        return self._database["items"].count_documents({"finished_at": {"$exists": True}})

    def _aside(self) -> int:
        return self._database["halves"].count_documents({})

    def _has_finished(self, wanted: float) -> bool:
        try:
            return self._finished() >= wanted
        except PyMongoError:
            return False  # the database is one of those that are killed

    def reaches(self, part: float) -> None:
        """Wait until so much of it has its outcome, and check that it is not over: what follows hits it midway."""
        wanted = self._earlier + part * LINES
        eventually(lambda: self._has_finished(wanted), deadline_seconds=90, what=f"{part:.0%} of the run")
        assert self._process.poll() is None, self._process.communicate()

    def ends_well(self, *, most_halves: int = 0) -> None:
        output, errors = self._process.communicate(timeout=180)
        assert self._process.returncode == 0, errors
        outcomes = check_accounts(self._database, UUID(json.loads(output)["task"]), LINES)
        # 9 of 10 lines are pictures, and the places that fail take out some of the 200 altogether.
        assert outcomes == {"success": 180, "duplicate": LINES - LINES // 10 - 180, "error": LINES // 10}
        assert self._aside() - self._halves <= most_halves


def test_every_container_is_healthy_and_there_are_as_many_as_asked_for(project: Project) -> None:
    assert project.unhealthy() == []
    services = [service_of(container) for container in project.containers()]
    assert {service: services.count(service) for service in (*KINDS, "samples")} == {
        **dict.fromkeys((*KINDS, "samples"), 1),
        **SCALE,
    }


def test_the_list_of_the_exercise_adds_up(project: Project, database: Database) -> None:
    arguments = ("fetcher", "publish", "samples/urls.txt", "--wait", "--json")
    ledger = json.loads(project.compose("exec", "-T", "fetcher", *arguments))
    assert {name: ledger[name] for name in ("total", "success", "duplicate", "error", "pending")} == {
        "total": 650,
        "success": 500,
        "duplicate": 50,
        "error": 100,
        "pending": 0,
    }
    check_accounts(database, UUID(ledger["task"]), 650)
    assert database["images"].count_documents({}) == 500
    page = requests.get(f"{project.api}/url_tasks/{ledger['task']}", timeout=10)
    assert page.status_code == 200


def test_every_image_that_the_api_gives_is_gray_to_the_pixel(project: Project, database: Database) -> None:
    with requests.Session() as session:
        for image in database["images"].find({}, {"_id": 1}):
            original = session.get(f"{project.api}/image/{image['_id']}/original", timeout=10)
            gray = session.get(f"{project.api}/image/{image['_id']}", timeout=10)
            assert (original.status_code, gray.status_code) == (200, 200)
            assert hashlib.md5(original.content).hexdigest() == image["_id"]
            with Image.open(io.BytesIO(original.content)) as decoded, Image.open(io.BytesIO(gray.content)) as stored:
                colours = np.asarray(decoded.convert("RGB")).astype(np.int64)
                assert np.array_equal(np.asarray(stored), colours.sum(axis=2) // 3)


def test_the_command_line_in_the_container_reads_standard_input(project: Project) -> None:
    urls = "http://samples:8081/700/701\nhttp://samples:8081/error/1\n"
    arguments = ("fetcher", "publish", "-", "--wait", "--json")
    ledger = json.loads(project.compose("exec", "-T", "fetcher", *arguments, input=urls))
    assert (ledger["success"], ledger["error"], ledger["pending"]) == (1, 1, 0)


def test_a_container_of_each_kind_killed_in_the_middle_loses_nothing(project: Project, database: Database) -> None:
    with Run(project, database) as running:
        for number, kind in enumerate(KINDS, 1):
            running.reaches(number / 12)
            victim = project.containers(kind)[0]["Id"]
            run("docker", "kill", victim)
            run("docker", "start", victim)
        running.ends_well(most_halves=MOST_HALVES)
    eventually(lambda: not project.unhealthy(), deadline_seconds=60, what="all healthy again")


def handed_in(project: Project, tasks: str, **body: str) -> dict[str, Any]:
    """Hand a page in through the API; gives the new task."""
    key = {"Authorization": f"Bearer {project.api_key}"}
    answer = requests.post(f"{project.api}/{tasks}", json=body, headers=key, timeout=10)
    assert answer.status_code == 201, answer.text
    task: dict[str, Any] = answer.json()
    return task


def as_it_stands(project: Project, task: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(project.api + task["links"]["self"], timeout=10).json()
    return answer


def once_it_is_done(project: Project, task: dict[str, Any]) -> dict[str, Any]:
    eventually(lambda: as_it_stands(project, task).get("finished_at"), what="the page and its images are there")
    return as_it_stands(project, task)


def test_a_page_gives_its_text(project: Project) -> None:
    task = once_it_is_done(project, handed_in(project, "text_tasks", url=PAGE))
    assert (task["status"], task["page"]["title"]) == ("success", "Not a picture")
    text = requests.get(project.api + task["links"]["text"], timeout=10).text
    assert text.splitlines()[0] == "Not a picture"


def test_a_page_gives_its_images_and_its_webhook_is_asked(project: Project) -> None:
    """The sample site takes no POST, so what the scraper notes is that it was refused."""
    task = once_it_is_done(project, handed_in(project, "images_tasks", url=PAGE, webhook=PAGE))
    assert (task["status"], task["total"], task["error"], task["pending"]) == ("success", 2, 0, 0)
    eventually(lambda: as_it_stands(project, task).get("webhook", {}).get("error"), what="the webhook was asked")
    assert "501" in as_it_stands(project, task)["webhook"]["error"]


def test_a_scraper_killed_over_its_pages_loses_none(project: Project, database: Database) -> None:
    (scraper,) = (container["Id"] for container in project.containers("scraper"))
    run("docker", "stop", "--time", "12", scraper)
    tasks = [UUID(handed_in(project, "images_tasks", url=f"{PAGE}?{number}")["id"]) for number in range(PAGES)]
    ours = {"task_id": {"$in": tasks}}

    def scraped() -> int:
        return database["pages"].count_documents(ours)

    run("docker", "start", scraper)
    eventually(lambda: scraped() >= 1, what="the first of the pages")
    run("docker", "kill", scraper)
    assert scraped() < PAGES
    run("docker", "start", scraper)
    ended = {**ours, "outcome": {"$in": ["success", "duplicate"]}}
    done = 3 * PAGES  # each page, and its two images
    eventually(lambda: database["items"].count_documents(ended) == done, deadline_seconds=120, what="all outcomes")
    assert database["items"].count_documents(ours) == done
    assert scraped() == PAGES


def test_a_worker_that_dies_is_started_again_by_the_engine(project: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may end a container's process from outside, as a lack of memory would")
    os.kill(project.containers("hasher")[0]["State"]["Pid"], signal.SIGKILL)
    eventually(lambda: project.containers("hasher")[0]["RestartCount"] == 1, what="it was started again")
    eventually(lambda: not project.unhealthy(), deadline_seconds=60, what="it is healthy again")


def test_workers_restarted_one_after_another_end_in_order(project: Project, database: Database) -> None:
    workers = [container["Id"] for kind in WORKERS for container in project.containers(kind)]
    codes, told = [], []
    with Run(project, database) as running:
        running.reaches(0.1)
        for worker in workers:
            run("docker", "stop", "--time", "12", worker)
            codes.append(json.loads(run("docker", "inspect", worker))[0]["State"]["ExitCode"])
            if codes[-1] != 0:
                told.append(run("bash", "-c", f"docker logs --tail 60 {worker} 2>&1"))
            run("docker", "start", worker)
        running.ends_well()
    assert codes == [0] * len(workers), "\n".join(told)


def test_grayscalers_scaled_down_and_up_under_load_lose_nothing(project: Project, database: Database) -> None:
    with Run(project, database) as running:
        for part, count in ((0.05, 1), (0.2, 4), (0.4, 1)):
            running.reaches(part)
            project.compose("up", "-d", "--no-build", f"--scale=grayscaler={count}", "--scale=aggregator=2")
            assert len(project.containers("grayscaler")) == count
        running.ends_well()


def test_what_was_stored_is_there_after_down_and_up(project: Project, database: Database) -> None:
    images = database["images"].count_documents({})
    project.down()
    assert project.containers() == []
    project.up(**SCALE)
    assert database["images"].count_documents({}) == images
    arguments = ("fetcher", "publish", "samples/urls.txt", "--wait", "--json")
    ledger = json.loads(project.compose("exec", "-T", "fetcher", *arguments))
    assert (ledger["success"], ledger["duplicate"], ledger["error"]) == (0, 550, 100)
    check_pixels(database)


def test_only_the_api_is_published_and_only_on_loopback(project: Project) -> None:
    published = {
        service_of(container): [binding for bindings in ports.values() for binding in bindings or ()]
        for container in project.containers()
        if any((ports := container["NetworkSettings"]["Ports"]).values())
    }
    del published["host"]  # its profile is there for this very purpose
    assert published == {"api": [{"HostIp": "127.0.0.1", "HostPort": str(project.api_port)}]}
    assert requests.get(f"{project.api}/health", timeout=10).text == "OK"
    for network in project.containers("api")[0]["NetworkSettings"]["Networks"].values():
        with socket.socket() as probe:
            probe.settimeout(2)
            # An address of this host that is not loopback.
            assert probe.connect_ex((network["Gateway"] or "127.0.0.9", project.api_port)) != 0


def test_services_run_without_rights(project: Project) -> None:
    for kind in (*WORKERS, "api"):
        host = project.containers(kind)[0]["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert project.compose("exec", "-T", kind, "id", "-u").strip() == "10001"
    for kind in ("rabbitmq", "mongodb"):
        assert project.compose("exec", "-T", kind, "id", "-u").strip() != "0"


def test_who_reaches_whom(project: Project) -> None:
    connect = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"

    def reaches(kind: str, host: str, port: int) -> bool:
        # A name that is unknown here is asked for outside, where nobody answers: once is enough.
        impatient = "RES_OPTIONS=timeout:1 attempts:1"
        command = [COMPOSE, "exec", "-T", "-e", impatient, kind, "python", "-c", connect, host, str(port)]
        return subprocess.run(command, env=project.environment, capture_output=True, check=False).returncode == 0

    for kind in ("fetcher", "scraper"):
        eventually(partial(reaches, kind, "samples", 8081), what=f"{kind} reaches the sites")
        eventually(partial(reaches, kind, "rabbitmq", 5672), what=f"{kind} reaches the broker")
        assert not reaches(kind, "api", 5000)
    eventually(partial(reaches, "grayscaler", "rabbitmq", 5672), what="the grayscaler reaches the broker")
    for kind in ("hasher", "grayscaler", "aggregator", "api"):
        assert not reaches(kind, "samples", 8081)
    networks = json.loads(
        run("docker", "network", "inspect", *(f"{project.name}_{name}" for name in ("fetching", "processing", "sites")))
    )
    assert all(network["Internal"] for network in networks)


def test_the_brokers_guest_is_not_let_in(project: Project) -> None:
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{project.amqp_port}/%2F"))
