"""The document at /openapi.json: valid, of all routes, with examples that are what they are examples of."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from common.settings import Settings
from services.api.app import create_app

SETTINGS = Settings.from_environ({"API_MAX_URLS": "123"})


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(SETTINGS, None, None).test_client()


@pytest.fixture(scope="module")
def document(client) -> dict[str, Any]:
    return client.get("/openapi.json").json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def answers(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    shared = document["components"]["responses"]
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            named = answer.get("$ref")
            yield operation["operationId"], status, shared[named.rpartition("/")[2]] if named else answer


def test_it_is_valid(document):
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_route_of_the_application_is_in_it_with_its_methods_and_nothing_else(client, document):
    """All but the stylesheet and the scripts of the pages: a file's name may hold slashes, and a path here none."""
    routes = {
        (method.lower(), re.sub(r"<(?:[^<:>]+:)?([^<>]+)>", r"{\1}", rule.rule))
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD"}
        if rule.endpoint != "static"
    }
    assert {(method, path) for method, path, _ in operations(document)} == routes


def test_every_route_has_a_name_a_summary_and_a_tag_that_is_described(document):
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    named = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(named) == len(set(named))
    for _, _, operation in operations(document):
        assert operation["summary"].endswith(".")
        assert set(operation["tags"]) <= tags


def test_every_error_is_a_problem_or_a_page(document):
    for name, status, answer in answers(document):
        if status >= "400" and name != "getReady":
            assert set(answer["content"]) == {"application/problem+json", "text/html"}, (name, status)


def test_every_example_is_what_its_schema_says(document):
    bodies = [operation["requestBody"] for _, _, operation in operations(document) if "requestBody" in operation]
    looked_at = 0
    for place in [*bodies, *(answer for _, _, answer in answers(document))]:
        for content in place.get("content", {}).values():
            if "example" in content:
                schema = {**content["schema"], "components": document["components"]}
                OAS31Validator(schema).validate(content["example"])
                looked_at += 1
    assert looked_at > 20


def test_every_argument_says_its_bounds_and_every_json_answer_has_an_example(document):
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["in"] == "path", (path, parameter["name"])
            assert parameter["schema"].get("type") != "integer" or "maximum" in parameter["schema"]
    for name, status, answer in answers(document):
        content = answer.get("content", {}).get("application/json", {})
        assert "$ref" not in content.get("schema", {}) or "example" in content, (name, status)


def test_it_tells_the_settings_of_this_server(document):
    assert document["components"]["schemas"]["UrlList"]["properties"]["urls"]["maxItems"] == 123


def test_who_has_it_already_gets_304(client):
    tag = client.get("/openapi.json").headers["ETag"]
    again = client.get("/openapi.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "max-age" in again.headers["Cache-Control"]


class Page(HTMLParser):
    """Notes what a page loads, its anchors, and the links to them."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.links: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag in ("script", "style") or "style" in named:
            self.inline.append(tag)
        if tag in ("img", "link", "script", "iframe"):
            self.loaded.append(named.get("src") or named["href"])
        self.anchors += [named["id"]] if "id" in named else []
        self.links |= {named["href"]} if named.get("href", "").startswith("#") else set()


def test_the_page_shows_every_route_and_loads_nothing_from_elsewhere(client, document):
    answer = client.get("/docs")
    page = Page()
    page.feed(answer.text)
    assert all(address.startswith("/static/") for address in page.loaded)
    assert page.inline == []
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert {operation["operationId"] for _, _, operation in operations(document)} <= set(page.anchors)
    assert set(document["components"]["schemas"]) <= set(page.anchors)
    assert len(page.anchors) == len(set(page.anchors))
    assert {link.removeprefix("#") for link in page.links} <= set(page.anchors)
