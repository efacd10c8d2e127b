"""A browser, and the API that it looks at."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from common.database import Database
from common.settings import Settings
from services.api.app import create_app
from tests.api_world import LIMITS, NotingPublisher, client, patience, publisher, served, world  # noqa: F401
from tests.browser_world import browsing

expect.set_options(timeout=30_000)


@pytest.fixture(autouse=True)
def _patient(patience: None) -> None:  # noqa: F811 - the fixture
    """Have every API of these tests be patient."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def address(database: Database, publisher: NotingPublisher) -> Iterator[str]:  # noqa: F811 - the fixture
    """Serve the API to a browser, which need not sign in."""
    settings = Settings.from_environ({**LIMITS, "API_WRITES": "open", "API_HOSTS": "graymill.test"})
    with served(create_app(settings, database, publisher)) as address:
        yield address
