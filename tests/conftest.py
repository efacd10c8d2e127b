"""Fixtures for all tests; a server is only started for a test that asks for it."""

import logging
import os
import signal
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

from deploy.local import ports
from tests import containers
from tests.servers import database, environment, mongodb, rabbitmq, settings, topology  # noqa: F401

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells every refused connection in twenty lines


# A shell that runs this in the background has SIGINT ignored, and every process that a test starts would ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that pauses for a moment says nothing about what is tested.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

# A port is free until the server that it was found for has started, so each process of xdist finds others.
ports.SERVER_PORTS = ports.SERVER_PORTS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) :: 8]

LAST = "compose"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests that start and stop networks for the end: a browser drops its connections when one comes."""
    items.sort(key=lambda item: item.path.parent.name == LAST)


class FolderScheduling(LoadScopeScheduling):
    """Gives each worker whole folders, as the tests of one share a stack; `xdist_group` does nothing in pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Have `--dist=loadscope` mean folders."""
    return FolderScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_report_header() -> str:
    """Say where the servers of this run are."""
    return containers.description()
