"""Real workers under load, asked for their metrics: what they count is what the ledger and their logs say."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import free_ports
from samples.site import serving
from tests.fleet import Process, eventually

WORKERS = ("fetcher", "hasher", "grayscaler", "aggregator")
IMAGES = 60
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(port: int) -> Samples:
    """Ask as Prometheus does."""
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


@pytest.fixture
def workers(environment, topology, tmp_path) -> Iterator[dict[str, tuple[Process, int]]]:
    """Run one worker of each kind, each with a port for its metrics."""
    ports = dict(zip(WORKERS, free_ports(len(WORKERS)), strict=True))
    with ExitStack() as stack:
        started = {}
        for name, port in ports.items():
            variables = {**environment, "LOG_FORMAT": "json", "METRICS_PORT": str(port)}
            process = Process(name, variables, tmp_path / f"{name}.log")
            stack.callback(process.kill)
            started[name] = (process, port)
        for process, _ in started.values():
            process.wait_until_consuming()
        yield started


def publish(environment: dict[str, str], urls: list[str], tmp_path: Path) -> UUID:
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(urls))
    command = [str(Path(sys.executable).parent / "fetcher"), "publish", str(file), "--wait", "--json"]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, timeout=60, check=True)
    return UUID(json.loads(done.stdout)["task"])


def test_counters_equal_the_ledger_and_the_log(workers, environment, database, tmp_path):
    # A host that asks to wait has all of its lines wait: the one that is tried again has a host of its own.
    with serving("127.0.0.2", 0) as site, serving("127.0.0.3", 0) as flaky_site:
        paths = [f"/{40 + number}/30" for number in range(IMAGES)]
        paths += ["/same/a", "/same/b", "/same/c", "/gone", "/gone?again", "/html", "/empty"]
        urls = [flaky_site.base_url + "/flaky/one/1/44/31", *(site.base_url + path for path in paths)]
        task_id = publish(environment, urls, tmp_path)
    items = list(database["items"].find({"task_id": task_id}))
    ledger = Counter((item["outcome"], item.get("reason", "")) for item in items)
    assert sum(ledger.values()) == len(urls)

    # An outcome is in the ledger before its worker has counted it; what is counted when nothing is held stays so.
    for name, (_, port) in workers.items():
        eventually(lambda port=port: value(scrape(port), "graymill_in_flight_deliveries") == 0, what=name)
    of = {name: scrape(port) for name, (_, port) in workers.items()}
    counted = {
        (labels["outcome"], labels["reason"]): count
        for (name, pairs), count in of["aggregator"].items()
        if name == "graymill_outcomes_total" and (labels := dict(pairs)) and count
    }
    assert counted == ledger
    ended = Counter(outcome for outcome, _ in ledger.elements())
    for outcome, count in ended.items():
        assert value(of["aggregator"], "graymill_item_seconds_count", outcome=outcome) == count

    stored = sum(original["length_bytes"] for original in database["images"].find())
    assert value(of["fetcher"], "graymill_downloaded_bytes_total") > stored
    assert value(of["fetcher"], "graymill_retries_total", queue="fetcher") == 1
    assert value(of["fetcher"], "graymill_postponed_total", queue="fetcher") == 0
    downloaded = (
        len(urls) - ledger["error", "http_4xx"] - ledger["error", "empty_body"] - ledger["error", "not_an_image"]
    )
    for name in ("hasher", "grayscaler"):
        assert value(of[name], "graymill_wait_seconds_count", queue=name) == downloaded
        assert value(of[name], "graymill_work_seconds_count", queue=name) == downloaded
    # Each line, and the one that was tried again.
    assert value(of["fetcher"], "graymill_wait_seconds_count", queue="fetcher") == len(urls) + 1
    for name, samples in of.items():
        assert value(samples, "graymill_broker_connected") == 1
        assert value(samples, "graymill_broker_blocked") == 0
        assert value(samples, "graymill_reconnects_total") == value(samples, "graymill_refusals_total") == 0
        assert value(samples, "graymill_dead_lettered_total", queue=name) == 0
        assert value(samples, "process_resident_memory_bytes") > 1_000_000
    for _, port in workers.values():
        assert value(scrape(port), "graymill_in_flight_bytes") == 0

    lines = [json.loads(line) for process, _ in workers.values() for line in process.log.splitlines()]
    told = [line for line in lines if "outcome" in line]
    assert Counter((line["outcome"], line.get("reason", "")) for line in told) == ledger
    assert {(line["item_id"], line["outcome"]) for line in told} == {
        (str(item["_id"]), item["outcome"]) for item in items
    }
    assert {line["task_id"] for line in told} == {str(task_id)}
    (again,) = [line for line in lines if line["message"].startswith("try 1 failed")]
    (flaky,) = [str(item["_id"]) for item in items if "/flaky/" in item["url"]]
    assert (again["service"], again["item_id"], again["task_id"]) == ("fetcher", flaky, str(task_id))
    assert [process.terminate() for process, _ in workers.values()] == [0] * len(workers)


def test_a_port_that_is_taken_is_told_in_a_line(environment, topology):
    with serving("127.0.0.1", 0) as site:
        port = site.base_url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "services.grayscaler"],
            env={**os.environ, **environment, "METRICS_PORT": port},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("grayscaler: METRICS_HOST, METRICS_PORT: cannot listen there")
