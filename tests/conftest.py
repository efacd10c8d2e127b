"""Fixtures for all tests; a server is only started for a test that asks for it."""

import logging

from tests import containers
from tests.servers import database, environment, mongodb, rabbitmq, settings, topology  # noqa: F401

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells every refused connection in twenty lines


def pytest_report_header() -> str:
    """Say where the servers of this run are."""
    return containers.description()
