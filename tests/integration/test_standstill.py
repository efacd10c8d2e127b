"""Items whose messages are gone are found, named and brought home; what only waits or is slow is left in peace."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from common.broker import parameters
from common.crew import Consumer
from common.database import Database
from common.ledger import Ledger
from common.message import Message, Publication
from common.publisher import Publisher
from common.queue_states import QueueState
from common.settings import Settings
from common.standstill import is_quiet, is_watched, look, standstill
from common.topology import Topology
from samples.site import serving
from tests.accounts import check_accounts
from tests.api_world import World
from tests.fleet import eventually, fleet
from tests.integration.runtime import Broker, submitted, working
from tests.integration.test_cli import Cli, refused

STALLED_SECONDS = 300.0
WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 1, "aggregator": 1}
QUIET = dict.fromkeys(Topology().queues, QueueState(0, 1))
BUSY = {**QUIET, "busy": QueueState(1, 0)}
HTML = {"Accept": "text/html"}


class Watch:
    """Looks every ten seconds of a clock of its own, which begins at the real time."""

    def __init__(self, database: Database, states: Callable[[], dict[str, QueueState]]) -> None:
        self.database = database
        self.states = states
        self.now = datetime.now(UTC)

    def looks(self, seconds: float) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now += timedelta(seconds=10)
            look(self.database, self.states(), self.now, stalled_seconds=STALLED_SECONDS)

    def lost(self) -> tuple[UUID, ...]:
        found = standstill(self.database, self.now)
        return () if found is None else found.task_ids


@pytest.fixture
def cli(environment: dict[str, str], topology: Topology) -> Cli:
    return Cli(environment)


@pytest.fixture
def broker_publisher(settings: Settings, topology: Topology) -> Iterator[Publisher]:
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    eventually(lambda: publisher.ready)
    yield publisher
    publisher.close()


def output_of(done: Any) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_items_of_a_purged_queue_are_named_and_resuming_brings_them_home(
    *,
    cli: Cli,
    broker_publisher: Publisher,
    database: Database,
    topology: Topology,
    settings: Settings,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    broker = Broker(settings, topology)
    with serving("127.0.0.2", 0) as site:
        urls = "".join(f"{site.base_url}/{width}/20\n" for width in range(20, 40))
        task = output_of(cli("publish", "-", "--json", stdin=urls.encode()))["task"]
        broker.take("fetcher", 12)
        with broker.channel() as channel:
            channel.queue_purge(topology.queue("fetcher"))
        watch = Watch(database, broker_publisher.queue_states)
        watch.looks(STALLED_SECONDS)
        assert watch.lost() == ()
        watch.looks(20)
        assert watch.lost() == (UUID(task),)
        # The command looks at the real clock.
        database["watch"].update_one({}, {"$set": {"noted_at": datetime.now(UTC)}})
        named = output_of(cli("lost", task, "--json"))
        assert (named["lost"], named["watched"], named["tasks"]) == (True, True, [task])
        assert [(item["line"], item["url"] + "\n") for item in named["items"]] == list(
            enumerate(urls.splitlines(keepends=True), start=1)
        )
        assert f"fetcher publish --resume {task}" in cli("lost").stdout
        with fleet(WORKERS, environment, tmp_path):
            ledger = output_of(cli("publish", "--resume", task, "--wait", "--json"))
    assert (ledger["success"], ledger["pending"]) == (20, 0)
    assert check_accounts(database, UUID(task), 20) == {"success": 20}
    watch.looks(10)
    assert watch.lost() == ()
    done = cli("lost", task)
    assert (done.returncode, done.stdout) == (0, "nothing is lost\n")


def test_what_waits_in_a_delay_queue_is_not_lost(
    broker_publisher: Publisher, database: Database, settings: Settings
) -> None:
    patient = Topology("patient.", delays_seconds=(3_600,))
    publisher = Publisher("tests", parameters(settings, "tests"), patient)
    try:
        eventually(lambda: publisher.ready)
        World(database).task(["http://a.example/"])
        publisher.publish([patient.delayed("fetcher", submitted(), 3_600)])
        publisher.flush()
        eventually(lambda: publisher.queue_states()["delay.3600s"].messages == 1)
        watch = Watch(database, publisher.queue_states)
        watch.looks(3 * STALLED_SECONDS)
        assert watch.lost() == ()
        with Broker(settings, patient).channel() as channel:
            channel.queue_purge(patient.queue("delay.3600s"))
        watch.looks(2 * STALLED_SECONDS)
        assert len(watch.lost()) == 1
    finally:
        publisher.close()
        with Broker(settings, patient).channel() as channel:
            patient.delete(channel)


def test_what_a_slow_worker_holds_is_not_lost(
    broker_publisher: Publisher,
    database: Database,
    settings: Settings,
    topology: Topology,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("common.worker.BEAT_SECONDS", 0.2)
    World(database).task(["http://a.example/"])
    broker = Broker(settings, topology)
    slow: list[bool] = [True]

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        eventually(lambda: not slow)
        return [[] for _ in messages]

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=1)):
        broker.put([submitted()])
        eventually(lambda: broker.ready("busy") > 0, what="the worker says that it holds something")
        assert broker.ready("fetcher") == 0
        watch = Watch(database, broker_publisher.queue_states)
        watch.looks(2 * STALLED_SECONDS)
        assert watch.lost() == ()
        slow.clear()


def test_an_end_begins_the_wait_anew_and_a_gap_in_the_watch_does_too(database: Database) -> None:
    world = World(database)
    task_id = world.task(["http://a.example/1", "http://a.example/2"])
    watch = Watch(database, lambda: QUIET)
    watch.looks(STALLED_SECONDS - 20)
    world.end(task_id, 1, "success", at=watch.now)
    watch.looks(STALLED_SECONDS - 20)
    assert watch.lost() == ()
    watch.now += timedelta(minutes=2)
    watch.looks(STALLED_SECONDS)
    assert watch.lost() == ()
    watch.looks(20)
    assert watch.lost() == (task_id,)
    watch.now += timedelta(minutes=2)
    assert watch.lost() == ()
    assert not is_watched(database, watch.now)


def test_whatever_moves_anywhere_ends_the_alarm(database: Database) -> None:
    task_id = World(database).task(["http://a.example/1"])
    watch = Watch(database, lambda: QUIET)
    for queue in set(QUIET) - {"dead"}:
        watch.states = lambda: QUIET
        watch.looks(STALLED_SECONDS + 20)
        assert watch.lost() == (task_id,)
        moving = {**QUIET, queue: QueueState(1, 0)}
        assert not is_quiet(moving)
        watch.states = lambda moving=moving: moving
        watch.looks(10)
        assert watch.lost() == ()
    assert is_quiet({**QUIET, "dead": QueueState(1, 0)})


def test_a_house_without_pending_items_stands_still_in_peace(database: Database) -> None:
    World(database).settled_task({"success": 2, "error": 1})
    watch = Watch(database, lambda: QUIET)
    watch.looks(3 * STALLED_SECONDS)
    assert watch.lost() == ()
    assert is_watched(database, watch.now)


def test_pages_and_programs_are_told_what_to_do(database: Database, client: FlaskClient, publisher: Any) -> None:
    task_id = World(database).task(["http://a.example/1"])
    assert client.get("/ready").json["warnings"] == []
    watch = Watch(database, lambda: QUIET)
    watch.now -= timedelta(seconds=STALLED_SECONDS + 20)
    watch.looks(STALLED_SECONDS + 20)
    answer = client.get("/ready")
    [warning] = answer.json["warnings"]
    assert (answer.status_code, answer.json["ready"]) == (200, True)
    assert str(task_id) in warning
    assert f"fetcher publish --resume {task_id}" in client.get(f"/url_tasks/{task_id}", headers=HTML).text
    home = client.get("/", headers=HTML).text
    assert "messages are gone" in home
    assert f"/url_tasks/{task_id}" in home
    finished = World(database).settled_task({"success": 1})
    assert "--resume" not in client.get(f"/url_tasks/{finished}", headers=HTML).text


def test_a_list_that_was_written_and_never_published_is_found_too(database: Database) -> None:
    task_id = Ledger(database).open_task(kind="url", name=None, refresh=False)
    Ledger(database).add_items(task_id, 1, ["http://a.example/1"])
    watch = Watch(database, lambda: QUIET)
    watch.looks(STALLED_SECONDS + 20)
    assert watch.lost() == (task_id,)


def test_without_a_watch_nothing_is_called_lost(cli: Cli, database: Database) -> None:
    task_id = World(database).task(["http://a.example/1"])
    done = cli("lost", str(task_id))
    assert "nobody watches" in done.stderr
    assert done.stdout.endswith("\thttp://a.example/1\n")
    assert "no task" in refused(cli("lost", "00000000-0000-4000-8000-000000000000"), 2)
