"""Hosts that are left alone: listed for people and programs, and asked again when a person says so."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.test_cli import Cli, refused

HTML = {"Accept": "text/html"}
FAILED = {"asked": False, "reason": "connect", "status": None, "times": 3}


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def paused(world, now) -> list[str]:
    """Leave hosts alone, one longer than the other; gives them in the order of a list."""
    world.pause("busy.example", until=now + timedelta(hours=1))
    world.pause("down.example", until=now + timedelta(minutes=4), **FAILED)
    world.pause("::1", until=now + timedelta(minutes=4), **FAILED)
    world.pause("shaky.example", until=now - timedelta(minutes=5), **FAILED)
    world.pause("content.example", until=now - timedelta(minutes=5))  # asked for a pause, which is over
    return ["busy.example", "down.example", "::1", "shaky.example"]


def test_hosts_are_listed_with_the_reason_those_that_wait_longest_first(client, paused, now):
    told = client.get("/hosts").json
    assert (told["paused"], [host["host"] for host in told["hosts"]], told["next"]) == (3, paused, None)
    busy, down, _, shaky = told["hosts"]
    assert (busy["state"], busy["asked"], busy["reason"], busy["status"]) == ("paused", True, "rate_limited", 429)
    assert datetime.fromisoformat(busy["until"]) - now >= timedelta(minutes=59)
    assert (down["why"], down["pauses"]) == ("it keeps failing (connect), pause 3 in a row", 3)
    assert shaky["state"] == "failing"


def test_pages_of_the_list_have_each_host_once(client, world, now):
    for number in range(25):
        world.pause(f"host-{number}.example", until=now + timedelta(minutes=1 + number // 10))
    address, found = "/hosts?limit=4", []
    while address:
        page = client.get(address).json
        assert len(page["hosts"]) <= 4
        found += [host["host"] for host in page["hosts"]]
        address = page["next"]
    assert len(found) == len(set(found)) == 25


def test_a_host_is_asked_again_when_somebody_says_so(client, database, paused):
    assert client.post("/hosts/down.example/resume").json == {"host": "down.example"}
    assert client.post("/hosts/down.example/resume").status_code == 404
    assert client.post("/hosts/::1/resume", headers=HTML).headers["Location"] == "/hosts"
    assert client.post("/hosts/shaky.example/resume").status_code == 200
    told = client.get("/hosts").json
    assert (told["paused"], [host["host"] for host in told["hosts"]]) == (1, ["busy.example"])


def test_that_needs_a_key(client, database, paused):
    assert client.application.test_client().post("/hosts/busy.example/resume").status_code == 401
    assert client.get("/hosts").json["paused"] == 3


@pytest.mark.parametrize("host", ["BUSY.example", "a b", "<script>", "x" * 255, "nobody.example", "{$ne: 1}"])
def test_what_is_not_left_alone_is_not_found(client, paused, host):
    answer = client.post(f"/hosts/{host}/resume")
    assert answer.status_code == 404
    assert answer.json["detail"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1e9", "cursor=x", "cursor=1-%24ne", "cursor=1-A", "format=xml"])
def test_what_cannot_be_asked_is_refused(client, query):
    assert client.get(f"/hosts?{query}").status_code == 422


def test_metrics_count_them_and_monitoring_leads_to_them(client, paused):
    assert '<a href="/hosts">Hosts left alone</a> at the moment: 3' in client.get("/monitoring", headers=HTML).text
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    assert samples["graymill_paused_hosts"] == 3


def test_the_command_lists_them_and_ends_a_pause(environment, paused):
    cli = Cli(environment)
    told = json.loads(cli("hosts", "list", "--json").stdout)
    assert (told["paused"], [host["host"] for host in told["hosts"]]) == (3, paused)
    shown = cli("hosts", "list", COLUMNS="200").stdout.splitlines()
    assert "it asked for it (HTTP 429)" in shown[1]
    assert shown[-1] == "3 hosts are left alone"
    assert cli("hosts", "resume", "Busy.example").stdout == "busy.example is asked again\n"
    assert "nobody.example" in refused(cli("hosts", "resume", "nobody.example"), 2)
    assert json.loads(cli("hosts", "list", "--limit", "1", "--json").stdout)["paused"] == 2
