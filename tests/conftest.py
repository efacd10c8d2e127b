"""Fixtures for all tests; a server is only started for a test that asks for it."""

import logging
import signal

import hypothesis
import pytest

from tests import containers
from tests.servers import database, environment, mongodb, rabbitmq, settings, topology  # noqa: F401

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells every refused connection in twenty lines


# A shell that runs this in the background has SIGINT ignored, and every process that a test starts would ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine that pauses for a moment says nothing about what is tested.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

LAST = "compose"


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups at this moment, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests that start and stop networks for the end: a browser drops its connections when one comes.

    Where folders run side by side, the tests of one stay together.
    """
    items.sort(key=lambda item: item.path.parent.name == LAST)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(item.path.parent.name))


def pytest_report_header() -> str:
    """Say where the servers of this run are."""
    return containers.description()
