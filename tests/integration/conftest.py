"""Fixtures of the tests of the API."""

from tests.api_world import client, publisher, world  # noqa: F401
