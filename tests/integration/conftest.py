"""Fixtures of the tests of the API."""

from tests.api_world import client, patience, publisher, world  # noqa: F401
from tests.page_world import pages  # noqa: F401
