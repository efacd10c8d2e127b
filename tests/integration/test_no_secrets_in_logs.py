"""No service tells a secret that it was given, whatever goes wrong when it connects."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from deploy.local.ports import free_ports
from tests.fleet import eventually

WORKERS = ("fetcher", "scraper", "hasher", "grayscaler", "aggregator")
PASSWORD = "pass-word-of-the-tests"
SECRETS = {"WEBHOOK_SECRET": "webhook-secret-of-the-tests", "API_KEYS": "api-key-of-the-tests"}


def with_password(url: str, *, port: int | None = None) -> str:
    """Give the address with a password that the server does not take, or with a port where there is none."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"graymill:{PASSWORD}@{parts.hostname}:{port or parts.port}"))


@contextmanager
def started(services: tuple[str, ...], variables: dict[str, str], folder: Path) -> Iterator[dict[str, Path]]:
    """Run services with every line logged, each into a file."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "DEBUG", "API_PORT": "0", **SECRETS, **variables}
    logs = {service: folder / f"{service}.log" for service in services}
    processes = []
    for service, log in logs.items():
        with log.open("wb") as output:
            command = [sys.executable, "-m", f"services.{service}"]
            processes.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
    try:
        yield logs
    finally:
        for process in processes:
            process.kill()
            process.wait()


def check(logs: dict[str, Path], *, said: str) -> None:
    """Wait until each has said what goes wrong, and look for secrets."""
    for log in logs.values():
        eventually(lambda log=log: said in log.read_text(), what=f"{said} in {log}")
    for service, log in logs.items():
        text = log.read_text()
        assert not [secret for secret in (PASSWORD, *SECRETS.values()) if secret in text], service


@pytest.mark.parametrize("form", ["plain", "json"])
def test_without_servers_no_secret_is_told(tmp_path, form):
    port = free_ports(1)[0]
    addresses = {
        "AMQP_URL": with_password("amqp://127.0.0.1/%2F", port=port),
        "MONGO_URL": with_password("mongodb://127.0.0.1/graymill", port=port),
    }
    with started((*WORKERS, "api"), {**addresses, "LOG_FORMAT": form}, tmp_path) as logs:
        check(logs, said="no connection to the broker")


def test_a_password_that_is_refused_is_not_told(environment, tmp_path):
    """The database takes any on a server without users; the broker, whose workers go on to try, refuses this one."""
    addresses = {
        "AMQP_URL": with_password(environment["AMQP_URL"]),
        "MONGO_URL": with_password(environment["MONGO_URL"]),
    }
    with started((*WORKERS, "api"), {**environment, **addresses}, tmp_path) as logs:
        check(logs, said="no connection to the broker")


@pytest.mark.parametrize("service", ["hasher", "api"])
@pytest.mark.parametrize(
    "bad",
    [
        {"AMQP_URL": f"amqp://graymill:{PASSWORD}@127.0.0.1:port/"},
        {"WEBHOOK_SECRET": "short-secret", "API_KEYS": PASSWORD + "ü"},
    ],
    ids=["port", "secrets"],
)
def test_a_setting_that_is_refused_tells_no_secret(service, bad):
    done = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={**os.environ, **SECRETS, **bad},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not [secret for secret in (PASSWORD, "short-secret", *SECRETS.values()) if secret in done.stderr]
