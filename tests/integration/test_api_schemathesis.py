"""Every route of the document, asked for in every way that the document allows and in many that it does not.

Whatever is asked, the answer must be one that the document names, and none of them a fault of the server's.
"""

import secrets
from contextlib import closing
from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from werkzeug.wsgi import ClosingIterator

from common.broker import parameters
from common.database import connect, create_indexes
from common.publisher import Publisher
from common.settings import Settings
from common.topology import Topology
from services.api.app import create_app
from tests.api_world import KEY, World
from tests.fleet import eventually
from tests.page_world import PageWorld
from tests.sizes import whole

EXAMPLES = 50 if whole() else 8
CONFIG = {"generation": {"deterministic": True}}


class Current:
    """The application of the test that runs; when tests are collected, one that only knows its document."""

    def __init__(self) -> None:
        self.app = create_app(Settings.from_environ({}), None, None)

    def __call__(self, environ, start_response):
        """Answer, and end as servers do: what is sent bit by bit gives back what it holds when it is closed."""
        with closing(ClosingIterator(self.app(environ, start_response))) as body:
            return [b"".join(body)]


CURRENT = Current()
API = schemathesis.openapi.from_wsgi("/openapi.json", CURRENT, config=SchemathesisConfig.from_dict(CONFIG))


@pytest.fixture(scope="module", autouse=True)
def database(rabbitmq, mongodb, tmp_path_factory):
    """Run the application on a real broker and a real database; gives the database."""
    samples = tmp_path_factory.mktemp("samples") / "urls.txt"
    samples.write_text("https://a.example/1\n")
    name = f"test-{secrets.token_hex(4)}"
    environment = {
        "AMQP_URL": rabbitmq.url,
        "AMQP_PREFIX": f"{name}.",
        "MONGO_URL": replace(mongodb, database=name).url,
        "API_KEYS": KEY,
        "API_REQUESTS_PER_MINUTE": "0",
        "SAMPLES_LIST": str(samples),
    }
    chosen = Settings.from_environ(environment)
    database = connect(chosen.mongo_url, application="tests")
    create_indexes(database)
    publisher = Publisher("tests", parameters(chosen, "tests"), Topology.of(chosen))
    eventually(lambda: publisher.ready)
    CURRENT.app = create_app(chosen, database, publisher)
    yield database
    publisher.close()
    database.client.drop_database(name)
    database.client.close()


@pytest.fixture(autouse=True)
def examples(database):
    """Have what the document's examples name there again for each route, whatever those before have deleted."""
    for name in database.list_collection_names():
        database[name].delete_many({})
    World(database).make_examples_true()
    PageWorld(database).make_examples_true()


@API.hook
def map_query(context, query):
    """Write 5.0 as 5: JSON Schema takes both for whole numbers, in an address only digits are one."""
    whole = {name: int(value) for name, value in (query or {}).items() if isinstance(value, float) and value % 1 == 0}
    return {**query, **whole} if whole else query


@API.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_no_request_is_answered_with_a_fault_or_in_a_way_that_the_document_does_not_name(case):
    headers = {"Authorization": f"Bearer {KEY}"} if case.operation.definition.raw.get("security") else {}
    case.call_and_validate(headers=headers, excluded_checks=list(excluded(case)))


def excluded(case):
    """Give the checks that ask for more than a JSON Schema can say of this route."""
    if {"from", "to"} & set(case.query or ()):
        # How far the two may be apart, and which comes first.
        yield positive_data_acceptance
    if any(isinstance(value, dict | list) for value in (case.query or {}).values()):
        # In an address that is a text as any other.
        yield negative_data_rejection
    if case.path.startswith("/forms/"):
        # One of some fields must be filled; browsers send the others empty, whatever they are for.
        yield positive_data_acceptance
        yield negative_data_rejection
    if case.path in ("/images_tasks", "/text_tasks") and case.method == "POST":
        # Which URLs are taken for sure is described; those with a host of another script, say, are taken as well.
        yield negative_data_rejection
