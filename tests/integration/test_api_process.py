"""The API as a process: it serves, ends at once with 0 when told to, and says in a line what is set wrongly."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from deploy.local.ports import free_ports
from deploy.local.waiting import wait_until

ROOT = Path(__file__).parents[2]


@contextmanager
def started(**variables: str) -> Iterator[subprocess.Popen[str]]:
    """Have the process; it is ended after the `with` block, if it has not ended by then."""
    environment = {**os.environ, "API_WRITES": "open", **variables}
    command = [sys.executable, "-m", "services.api"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).text == "OK"
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_without_a_broker_and_ends_with_0_at_once(database, ending):
    port, no_broker = free_ports(2)
    host, mongo_port = database.client.address
    mongo_url = f"mongodb://{host}:{mongo_port}/{database.name}"
    with started(
        API_PORT=str(port), MONGO_URL=mongo_url, AMQP_URL=f"amqp://127.0.0.1:{no_broker}", API_MAX_BODY_BYTES="1024"
    ) as process:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/health"), 20, "the API")
        # A database that stands still for a second is told as away.
        told = {"ready": False, "database": True, "broker": False, "warnings": []}
        wait_until(lambda: requests.get(f"{address}/ready", timeout=5).json() == told, 20, "the database")
        assert requests.get(f"{address}/ready", timeout=5).status_code == 503
        too_large = requests.post(
            f"{address}/url_tasks", data=b"x" * 1_025, headers={"Content-Type": "text/plain"}, timeout=5
        )
        assert (too_large.status_code, too_large.headers["Content-Type"]) == (413, "application/problem+json")
        far_too_large = requests.post(f"{address}/url_tasks", data=b"x" * 1_000_000, timeout=5)
        assert (far_too_large.status_code, far_too_large.json()["detail"][-1]) == (413, ".")
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
            refusal = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert b" 400 " in refusal.splitlines()[0]
        assert b"Content-Type: application/problem+json" in refusal
        process.send_signal(ending)
        _, errors = process.communicate(timeout=6)
    assert process.returncode == 0
    assert "API_WRITES=open: who reaches this address may hand in" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "value"), [("API_PORT", "many"), ("MONGO_URL", "mongodb://"), ("API_HOST", "192.0.2.1")]
)
def test_a_bad_setting_is_told_in_one_line_with_code_2(name, value):
    with started(**{name: value}) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert any(line.startswith("api: ") and name in line for line in errors.splitlines())
    assert "Traceback" not in errors
