"""Requests that are too many, by a name that is not ours, or through proxies; and the ids of all of them."""

import logging
import re

import pytest

from common.settings import Settings
from services.api.app import create_app
from services.api.request_log import RequestId
from tests.api_world import KEY

LIST = {"data": "https://a.example/1", "content_type": "text/plain"}
HTML = {"Accept": "text/html"}
ENOUGH = 5


@pytest.fixture
def client(database, publisher, request):
    """Give a client of an application with these settings."""
    variables = {"API_WRITES": "open", "API_REQUESTS_PER_MINUTE": str(ENOUGH), **getattr(request, "param", {})}
    return create_app(Settings.from_environ(variables), database, publisher).test_client()


def statuses(client, path: str, count: int, *, method: str = "GET", address: str = "192.0.2.1", **more) -> list[int]:
    content = LIST if method == "POST" else {}
    asked = {"method": method, "environ_base": {"REMOTE_ADDR": address}, **content, **more}
    return [client.open(path, buffered=True, **asked).status_code for _ in range(count)]


@pytest.mark.parametrize(("path", "method", "status"), [("/url_tasks", "POST", 201), ("/monitoring.json", "GET", 200)])
def test_who_asks_too_often_is_told_how_long_to_wait(client, path, method, status):
    assert statuses(client, path, ENOUGH + 2, method=method) == [status] * ENOUGH + [429, 429]
    answer = client.open(path, method=method, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert 0 < int(answer.headers["Retry-After"]) <= 60 / ENOUGH
    assert answer.headers["Retry-After"] in answer.json["detail"]
    page = client.open(path, method=method, environ_base={"REMOTE_ADDR": "192.0.2.1"}, headers=HTML)
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert statuses(client, path, 1, method=method, address="192.0.2.2") == [status]


def test_writes_and_costly_reads_are_counted_apart_and_all_else_is_not(client, world):
    task = world.settled_task({"error": 1})
    assert 429 in statuses(client, "/url_tasks", ENOUGH + 1, method="POST")
    assert statuses(client, "/monitoring", ENOUGH) == [200] * ENOUGH
    assert statuses(client, f"/url_tasks/{task}/items.csv", 1) == [429]
    for path in ("/", "/url_tasks", f"/url_tasks/{task}", "/images", "/health", "/static/graymill.css"):
        assert statuses(client, path, 3 * ENOUGH) == [200] * 3 * ENOUGH


def test_what_is_counted_is_what_the_document_says(client):
    """Taken together they are more than one may ask, so each of them must have been counted."""
    document = client.get("/openapi.json").json["paths"]
    costly = [path for path, methods in document.items() if "429" in methods.get("get", {}).get("responses", {})]
    assert {"/monitoring", "/url_tasks/{task_id}/archive", "/image/{md5}/similar"} <= set(costly)
    statuses(client, "/monitoring.json", ENOUGH)
    for path in costly:
        assert statuses(client, re.sub("{.*?}", "x", path), 1) == [429], path
    for methods in document.values():
        assert all("429" in operation["responses"] for method, operation in methods.items() if method != "get")


@pytest.mark.parametrize("client", [{"API_WRITES": "keys", "API_KEYS": KEY}], indirect=True)
def test_a_key_is_counted_wherever_it_comes_from_and_guessing_is_counted_too(client):
    key = {"Authorization": f"Bearer {KEY}"}
    asked = [statuses(client, "/url_tasks", 1, method="POST", address=f"192.0.2.{n}", headers=key) for n in range(7)]
    assert asked == [[201]] * ENOUGH + [[429]] * 2
    guessed = {"Authorization": "Bearer a-wrong-key-of-the-tests"}
    guesses = statuses(client, "/url_tasks", 7, method="POST", address="198.51.100.1", headers=guessed)
    assert guesses == [401] * ENOUGH + [429] * 2


def test_all_addresses_of_a_network_of_version_6_are_one_client(client):
    for number in range(ENOUGH):
        assert statuses(client, "/monitoring.json", 1, address=f"2001:db8:1:2::{number}") == [200]
    assert statuses(client, "/monitoring.json", 1, address="2001:db8:1:2:ffff::1") == [429]
    assert statuses(client, "/monitoring.json", 1, address="2001:db8:1:3::1") == [200]


@pytest.mark.parametrize("client", [{"API_REQUESTS_PER_MINUTE": "0"}], indirect=True)
def test_nought_is_no_limit(client):
    assert set(statuses(client, "/monitoring.json", 8 * ENOUGH)) == {200}


def test_a_header_of_the_clients_own_makes_it_no_other_client(client):
    for number in range(ENOUGH):
        statuses(client, "/monitoring.json", 1, headers={"X-Forwarded-For": f"203.0.113.{number}"})
    assert statuses(client, "/monitoring.json", 1, headers={"X-Forwarded-For": "203.0.113.99"}) == [429]


@pytest.mark.parametrize("client", [{"API_TRUSTED_PROXIES": "1"}], indirect=True)
def test_behind_a_proxy_the_last_address_of_its_header_is_the_client(client):
    for number in range(ENOUGH):
        forwarded = {"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.1"}
        assert statuses(client, "/monitoring.json", 1, headers=forwarded) == [200]
    assert statuses(client, "/monitoring.json", 1, headers={"X-Forwarded-For": "203.0.113.1"}) == [429]
    assert statuses(client, "/monitoring.json", 1, headers={"X-Forwarded-For": "203.0.113.2"}) == [200]


@pytest.mark.parametrize("client", [{"API_TRUSTED_PROXIES": "1"}], indirect=True)
def test_behind_a_proxy_the_host_is_still_the_one_asked_for(client):
    asked = {"X-Forwarded-Host": "localhost", "Host": "evil.example"}
    assert client.get("/health", headers=asked).status_code == 421


@pytest.mark.parametrize("path", ["/", "/health", "/static/graymill.css", "/nothing"])
def test_a_name_that_is_not_ours_is_refused_with_the_settings_name(client, path):
    answer = client.get(path, headers={"Host": "evil.example:5000"}, buffered=True)
    assert (answer.status_code, answer.mimetype) == (421, "application/problem+json")
    assert "API_HOSTS" in answer.json["detail"]
    assert client.get(path, headers={"Host": "<script>", **HTML}).text.count("<script>") == 0
    assert client.get(path, headers={"Host": "127.0.0.1:5000"}, buffered=True).status_code != 421


@pytest.mark.parametrize("client", [{"API_HOSTS": "images.example.com"}], indirect=True)
def test_a_name_of_the_setting_is_taken(client):
    assert client.get("/health", headers={"Host": "images.example.com"}).status_code == 200


def test_a_requests_id_is_in_its_answer_in_its_problem_and_on_its_log_lines(client, caplog):
    caplog.handler.addFilter(RequestId())
    caplog.set_level(logging.INFO)
    answer = client.post("/url_tasks", headers={"X-Request-ID": "mine-1"})
    assert (answer.headers["X-Request-ID"], answer.json["request_id"]) == ("mine-1", "mine-1")
    page = client.post("/url_tasks", headers={"X-Request-ID": "mine-1", **HTML})
    assert "<code>mine-1</code>" in page.text
    (first, *_) = [record for record in caplog.records if record.name == "services.api.request_log"]
    assert (first.request_id, first.getMessage()) == ("mine-1", "POST /url_tasks for 127.0.0.1: 415")


def test_a_fault_of_ours_is_logged_under_the_requests_id(client, world, caplog):
    caplog.handler.addFilter(RequestId())
    world.database["images"].insert_one({"_id": "0" * 32, "inserted_at": "no time"})
    answer = client.get(f"/images/{'0' * 32}")
    assert answer.status_code == 500
    (fault,) = [record for record in caplog.records if record.exc_info]
    assert fault.request_id == answer.json["request_id"]
