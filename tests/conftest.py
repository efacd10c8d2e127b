"""Fixtures for all tests; a server is only started for a test that asks for it."""

from tests.servers import database, environment, mongodb, rabbitmq, settings, topology  # noqa: F401
