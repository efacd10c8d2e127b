"""Every way in which a site can misbehave, through all services: each line ends as it must, and says why."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from common.database import Database
from common.topology import Topology
from samples.site import Site, serving
from tests.accounts import check_pixels
from tests.fleet import fleet

EXPECTED = {
    "/40/30": ("success",),
    "/same/a": ("success",),
    "/same/b": ("duplicate",),
    "/mislabelled/41/30": ("success",),
    "/redirect/5/42/30": ("success",),
    "/slow/1/43/30": ("success",),
    "/flaky/one/1/44/30": ("success",),
    "/reset/one/45/30": ("success",),
    "/error/100": ("error", "http_4xx", 404),
    "/9000/9000": ("error", "http_4xx", 400),
    "/gone": ("error", "http_4xx", 410),
    "/forbidden": ("error", "http_4xx", 403),
    "/broken": ("error", "http_5xx", 500),
    "/busy": ("error", "rate_limited", 429),
    "/redirect/6/46/30": ("error", "redirect_limit", None),
    "/loop": ("error", "redirect_limit", None),
    "/no-location": ("error", "redirect_limit", 302),
    "/redirect-to?url=http://127.0.0.1/": ("error", "blocked_address", None),
    "/redirect-to?url=file:///etc/passwd": ("error", "invalid_url", None),
    "/html": ("error", "not_an_image", None),
    "/html.jpg": ("error", "not_an_image", None),
    "/gzipped/47/30": ("error", "not_an_image", None),
    "/empty": ("error", "empty_body", None),
    "/nocontent": ("error", "empty_body", None),
    "/truncated/300/300": ("error", "incomplete_body", None),
    "/cut/300/300": ("error", "truncated", None),
    "/oversized": ("error", "too_large", None),
    "/endless": ("error", "too_large", None),
    "/bomb": ("error", "too_many_pixels", None),
    "/optout/48/30": ("error", "opt_out", None),
    "/pdf": ("error", "format_not_allowed", None),
    "/eps": ("error", "format_not_allowed", None),
    "/svg": ("error", "format_not_allowed", None),
    "/tiff": ("error", "format_not_allowed", None),
    "/slow/30/49/30": ("error", "timeout", None),
}
ELSEWHERE = {
    "http://127.0.0.1/x.png": ("error", "blocked_address", None),
    "http://2130706433/": ("error", "blocked_address", None),
    "http://169.254.169.254/latest/meta-data/": ("error", "blocked_address", None),
    "http://mongo:27017/": ("error", "blocked_address", None),
    "file:///etc/passwd": ("error", "invalid_url", None),
    "javascript:alert(1)": ("error", "invalid_url", None),
    "http://host:99999/": ("error", "invalid_url", None),
    "http://user:s3cret@127.0.0.2/x.png": ("error", "invalid_url", None),
    "http://127.0.0.2/" + "x" * 3000: ("error", "invalid_url", None),
    "http://127.0.0.3:1/": ("error", "connect", None),
}
WORKERS = {"fetcher": 1, "hasher": 1, "grayscaler": 2, "aggregator": 2}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving("127.0.0.2", 0) as site:
        yield site


def run(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).parent / "fetcher"), *arguments, "--wait", "--json"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=70, check=False
    )
    assert done.returncode == 0, done.stderr
    ledger: dict[str, Any] = json.loads(done.stdout)
    return ledger


def test_every_line_ends_as_it_must(
    environment: dict[str, str], topology: Topology, database: Database, site: Site, tmp_path: Path
) -> None:
    overlay = {"FETCH_ALLOW_NETS": "127.0.0.2/31", "IDLE_TIMEOUT_SECONDS": "3", "TOTAL_TIMEOUT_SECONDS": "10"}
    environment = {**environment, **overlay}
    expected = {site.base_url + path: end for path, end in EXPECTED.items()} | ELSEWHERE
    file = tmp_path / "urls.txt"
    file.write_text("\n".join(expected))
    started = time.time()
    with fleet(WORKERS, environment, tmp_path) as processes:
        ledger = run(environment, "publish", str(file))
        task_id = UUID(ledger["task"])
        items = {item["line"]: item for item in database["items"].find({"task_id": task_id})}
        ends = {}
        for line, (url, end) in enumerate(expected.items(), 1):
            item = items[line]
            found = (item["outcome"],) if len(end) == 1 else (item["outcome"], item["reason"], item.get("status"))
            if found != end:
                ends[url[:60]] = (found, item.get("detail"))
        # The two of the same content may come in any order; one of them is the image.
        same = {items[2]["outcome"], items[3]["outcome"]}
        assert same == {"success", "duplicate"}
        assert {url: found for url, found in ends.items() if "/same/" not in url} == {}
        assert ledger["pending"] == 0
        assert ledger["total"] == len(expected) == ledger["success"] + ledger["duplicate"] + ledger["error"]
        flaky = next(item for item in items.values() if "/flaky/" in item["url"])
        assert flaky["finished_at"].timestamp() >= started + 1, "it came before its Retry-After was over"
        assert all(item["detail"] for item in items.values() if item["outcome"] == "error")
        check_pixels(database)

        retried = run(environment, "retry", str(task_id), "--reason", "http_5xx,connect")
        assert (retried["total"], retried["pending"]) == (len(expected), 0)
        again = [item for item in database["items"].find({"task_id": task_id}) if "history" in item]
        assert {item["reason"] for item in again} == {"http_5xx", "connect"}
        assert all(item["round"] == 1 and len(item["history"]) == 1 for item in again)
        assert [process.terminate() for process in processes] == [0] * len(processes)
        logs = "".join(process.log for process in processes)
        assert "s3cret" not in logs
        told = [line for line in logs.splitlines() if "services.aggregator.outcomes" in line]
        outcomes = [line for line in told if " task_id=" in line]
        assert len(outcomes) == len(expected) + len(again), "each outcome is logged once"
