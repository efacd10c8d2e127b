"""/metrics of the API: requests by route, queues, what is pending, dead letters; and what is told without servers."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from common.database import connect
from common.dead_letters import DeadLetter, DeadLetters
from common.message import Message
from common.queue_states import QueueState
from common.settings import Settings
from common.standstill import look
from common.topology import Topology
from deploy.local.ports import free_ports
from services.api.app import create_app
from services.api.queries.pending import pending
from tests.api_world import KEY

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client, **headers: str) -> Samples:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def test_requests_are_counted_by_route_and_status(client, world):
    task = world.settled_task({"success": 1})
    before = scraped(client)
    for path in (f"/url_tasks/{task}", f"/url_tasks/{task}", "/url_tasks/nothing", "/no/such/page"):
        client.get(path)
    client.open("/url_tasks", method="BREW")
    client.get("/", headers={"Host": "evil.example"})
    after = scraped(client)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    task_route = {"method": "GET", "route": "/url_tasks/<task_id>"}
    assert more("graymill_http_requests_total", **task_route, status="200") == 2
    assert more("graymill_http_requests_total", **task_route, status="404") == 1
    assert more("graymill_http_request_seconds_count", **task_route) == 3
    assert more("graymill_http_requests_total", method="GET", route="other", status="404") == 1
    assert more("graymill_http_requests_total", method="other", route="other", status="405") == 1
    assert more("graymill_http_requests_total", method="GET", route="/", status="421") == 1
    assert not [name for name in after if str(task) in str(name) or "BREW" in str(name) or "evil" in str(name)]


def test_the_state_of_the_whole_is_told(client, publisher, world, database):
    now = datetime.now(UTC)
    world.settled_task({"success": 1, "pending": 2}, start=now - timedelta(minutes=10))
    world.settled_task({"pending": 1}, start=now - timedelta(minutes=3))
    world.settled_task({"error": 3}, start=now - timedelta(minutes=5))
    publisher.states = {**publisher.states, "hasher": QueueState(7, 2)}
    dead = Topology().dead("fetcher", Message("url.submitted", "", "", {}, b"{}"), "why")
    DeadLetters(database).keep([DeadLetter.of(dead.message, now)])
    quiet = dict.fromkeys(publisher.states, QueueState(0, 1))
    for moment in (now - timedelta(seconds=20), now):
        look(database, quiet, moment, stalled_seconds=1)

    samples = scraped(client)
    assert value(samples, "graymill_database_up") == value(samples, "graymill_broker_up") == 1
    assert value(samples, "graymill_queue_messages", queue="hasher") == 7
    assert value(samples, "graymill_queue_consumers", queue="hasher") == 2
    queues = {dict(labels)["queue"] for name, labels in samples if name == "graymill_queue_messages"}
    assert queues == set(Topology().queues)
    assert value(samples, "graymill_dead_letters") == 1
    assert value(samples, "graymill_pending_tasks") == value(samples, "graymill_standstill_tasks") == 2
    # The first task has seen an outcome a second after it was handed in.
    assert value(samples, "graymill_pending_age_seconds") == pytest.approx(599, abs=20)
    last = (now - timedelta(minutes=5) + timedelta(seconds=3)).timestamp()
    assert value(samples, "graymill_last_outcome_timestamp_seconds") == pytest.approx(last, abs=1)


def test_without_any_task_nothing_is_pending(client):
    samples = scraped(client)
    assert value(samples, "graymill_pending_tasks") == value(samples, "graymill_pending_age_seconds") == 0
    assert ("graymill_last_outcome_timestamp_seconds", frozenset()) not in samples


def test_the_age_of_what_is_pending_is_read_from_indexes(database, world):
    """However long a list is, a look into the index says whether any of it is pending."""
    world.settled_task({"success": 300})
    world.settled_task({"success": 299, "pending": 1})
    database.command("profile", 2)
    try:
        assert pending(database).tasks == 1
    finally:
        database.command("profile", 0)
    looked_at = list(
        database["system.profile"].find({"ns": {"$in": [f"{database.name}.{n}" for n in ("tasks", "items")]}})
    )
    assert looked_at
    assert sum(each.get("docsExamined", 0) for each in looked_at) < 20


def test_who_scrapes_needs_no_key_and_is_never_one_too_many(database, publisher):
    app = create_app(Settings.from_environ({"API_KEYS": KEY, "API_REQUESTS_PER_MINUTE": "2"}), database, publisher)
    stranger = app.test_client()
    for host in 5 * ["10.1.2.3:5000", "localhost:5000"]:
        assert value(scraped(stranger, Host=host), "graymill_database_up") == 1


def test_without_servers_it_says_that_and_nothing_else_of_them(publisher):
    publisher.ready = False
    nowhere = connect(f"mongodb://127.0.0.1:{free_ports(1)[0]}/nothing", application="tests")
    try:
        client = create_app(Settings.from_environ({}), nowhere, publisher).test_client()
        first, second = scraped(client), scraped(client)
    finally:
        nowhere.client.close()
    for samples in (first, second):
        names = {name for name, _ in samples}
        assert {"graymill_database_up", "graymill_broker_up", "process_resident_memory_bytes"} <= names
        assert value(samples, "graymill_database_up") == value(samples, "graymill_broker_up") == 0
        assert not names & {"graymill_queue_messages", "graymill_dead_letters", "graymill_pending_tasks"}
