"""What goes wrong is said in a sentence, quickly, with no word about how we are built."""

import pytest

from common.database import connect
from common.settings import Settings
from deploy.local.ports import free_ports
from services.api.app import create_app
from tests.api_world import NotingPublisher
from tests.stopwatch import within

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
MD5 = "0123456789abcdef0123456789abcdef"
LISTS = ("/images", "/url_tasks", "/url_tasks/00000000-0000-4000-8000-000000000000/items")


@pytest.mark.parametrize(
    "path",
    [
        "/image/../../etc/passwd",
        "/image/..%2f..%2fetc%2fpasswd",
        f"/image/{MD5.upper()}",
        f"/image/{MD5[:-1]}",
        f"/image/{MD5}0",
        f"/image/{MD5}%0a",
        f"/image/{MD5}",
        f"/image/{MD5}/original",
        f"/image/{MD5.upper()}/original",
        f"/images/{MD5}",
        f"/images/{MD5.upper()}",
        "/image/",
        "/nothing",
        "/static/../app.py",
        "/static/nothing.css",
    ],
)
def test_what_is_not_there_is_404_with_a_sentence_as_json_or_as_a_page(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 404
    assert answer.json["detail"].endswith(".")
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    page = client.get(path, headers=HTML)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "</html>" in page.text


BAD_PAGES = ["limit=-1", "limit=0", "limit=101", "limit=1e9", "limit=abc", "cursor=%00", "cursor=~"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("query", BAD_PAGES)
def test_a_bad_limit_or_cursor_is_422_with_a_sentence(client, path, query):
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert answer.json["detail"].endswith(".")


@pytest.mark.parametrize("query", ["outcome=great", "reason=because", "outcome[$ne]=error&outcome=x", "reason=DNS"])
def test_an_outcome_or_reason_that_is_not_in_the_list_is_422(client, query):
    answer = client.get(f"{LISTS[2]}?{query}")
    assert answer.status_code == 422
    assert "must be one of" in answer.json["detail"]


def test_a_method_that_is_not_taken_is_405_and_says_which_are(client):
    answer = client.delete("/images")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json["detail"] == "This address does not take the method DELETE."


def test_a_fault_of_ours_is_500_without_a_word_about_it(client, world):
    world.database["images"].insert_one({"_id": MD5, "inserted_at": "secret of the house"})
    for headers in ({}, HTML):
        answer = client.get(f"/images/{MD5}", headers=headers)
        assert answer.status_code == 500
        assert "Traceback" not in answer.text
        assert "secret" not in answer.text


def test_every_answer_has_the_security_headers_and_a_request_id(client):
    for answer in (client.get("/"), client.get("/nothing"), client.get("/health"), client.post("/url_tasks")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert len(answer.headers["X-Request-ID"]) == 32


def test_a_request_id_is_taken_over_only_when_it_is_a_plain_word(client):
    assert client.get("/health", headers={"X-Request-ID": "abc-1.2_3"}).headers["X-Request-ID"] == "abc-1.2_3"
    for bad in ("<script>", "a b", "x" * 65, ""):
        assert client.get("/health", headers={"X-Request-ID": bad}).headers["X-Request-ID"] != bad


def test_health_is_ok_and_ready_tells_what_answers(client, publisher):
    health = client.get("/health")
    assert (health.status_code, health.text, health.mimetype) == (200, "OK", "text/plain")
    assert client.get("/ready").json == {"ready": True, "database": True, "broker": True, "warnings": []}
    publisher.ready = False
    answer = client.get("/ready")
    told = {"ready": False, "database": True, "broker": False, "warnings": []}
    assert (answer.status_code, answer.json) == (503, told)


def test_without_a_database_every_route_says_so_within_seconds():
    """Nothing listens at the database's port; the answers must not wait for the driver's own long time-outs."""
    nowhere = connect(f"mongodb://127.0.0.1:{free_ports(1)[0]}/graymill", application="tests")
    client = create_app(Settings.from_environ({}), nowhere, NotingPublisher()).test_client()
    try:
        assert client.get("/health").status_code == 200
        with within(1.5):
            ready = client.get("/ready")
        assert (ready.status_code, ready.json["database"]) == (503, False)
        for path in ("/", "/images", f"/image/{MD5}"):
            with within(5.5):
                answer = client.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert "127.0.0.1" not in answer.text
            assert "database" in answer.json["detail"]
    finally:
        nowhere.client.close()
