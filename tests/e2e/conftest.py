"""A browser, and the API that it looks at."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from tests.api_world import client, publisher, served, world  # noqa: F401
from tests.browser_world import browsing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def address(client: FlaskClient) -> Iterator[str]:  # noqa: F811 - the fixture
    with served(client.application) as address:
        yield address
