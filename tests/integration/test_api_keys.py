"""Who may write: programs with a key, people who have signed in with one, nobody else."""

import logging
import re
from http.cookies import SimpleCookie

import pytest

from common.settings import Settings
from services.api.app import create_app
from services.api.authentication import NO_KEYS, SESSION
from tests.api_world import KEY

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SECOND = "another-key-of-the-tests"
LIST = {"data": "https://a.example/1", "content_type": "text/plain"}
SHOWN = ("/", "/url_tasks", "/images", "/monitoring", "/docs", "/openapi.json", "/health", "/sign-in")


@pytest.fixture
def application(database, publisher):
    """Give a way to make an application with these settings."""

    def make(**variables: str):
        return create_app(Settings.from_environ({"API_KEYS": f"{KEY},{SECOND}", **variables}), database, publisher)

    return make


@pytest.fixture
def stranger(application):
    """Give a client without a key."""
    return application().test_client()


def writes(app) -> list[tuple[str, str]]:
    """Give each route that changes something, as a request."""
    return [
        (method, re.sub("<[^>]*>", "00000000-0000-4000-8000-000000000000", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}
        if rule.rule not in ("/sign-in", "/sign-out")
    ]


def test_without_a_key_nothing_can_be_changed_and_everything_can_be_seen(stranger, database, publisher):
    asked = writes(stranger.application)
    assert len(asked) >= 10
    for method, path in asked:
        answer = stranger.open(path, method=method, **LIST)
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), path
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Graymill API"'
        assert "sign in at /sign-in" in answer.json["detail"]
    assert database["tasks"].count_documents({}) == 0
    assert publisher.publications == []
    for path in SHOWN:
        assert stranger.get(path).status_code == 200


@pytest.mark.parametrize("key", [KEY, SECOND])
def test_each_key_is_taken(stranger, key):
    answer = stranger.post("/url_tasks", **LIST, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (f"Bearer {KEY}x", True),
        (f"Bearer {KEY},{SECOND}", True),
        ("Bearer", True),
        ("Bearer key=word", True),
        ("bearer é", True),
        (f"Basic {KEY}", False),
        (KEY, False),
    ],
)
def test_what_is_no_key_is_refused(stranger, header, error):
    answer = stranger.post("/url_tasks", **LIST, headers={"Authorization": header.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert ("error=invalid_token" in answer.headers["WWW-Authenticate"]) is error
    assert KEY not in answer.text


def test_what_leads_nowhere_does_so_without_a_key_too(stranger):
    assert stranger.post("/nothing").status_code == 404
    assert stranger.delete("/images").status_code == 405


def test_where_no_key_is_set_it_says_how_to_set_one(application):
    client = application(API_KEYS="").test_client()
    for answer in (
        client.post("/url_tasks", **LIST),
        client.post("/url_tasks", **LIST, headers={"Authorization": "Bearer "}),
        client.post("/sign-in", data={"key": ""}),
    ):
        assert (answer.status_code, answer.json["detail"]) == (401, NO_KEYS)


def test_where_writing_is_open_nobody_is_asked(application):
    client = application(API_WRITES="open").test_client()
    assert client.post("/url_tasks", **LIST).status_code == 201
    home = client.get("/", headers=HTML).text
    assert "Sign in" not in home
    assert "Bearer" not in home
    document = client.get("/openapi.json").json
    assert "security" not in document["paths"]["/url_tasks"]["post"]
    assert "401" not in document["paths"]["/url_tasks"]["post"]["responses"]
    assert "Authorization" not in client.get("/docs").text.split("Headers</h2>")[0].split("Tasks</h2>")[1]


def test_the_document_says_where_a_key_is_needed(stranger):
    document = stranger.get("/openapi.json").json
    assert set(document["components"]["securitySchemes"]) == {"key", "session"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            is_kept = method != "get" and path not in ("/sign-in", "/sign-out")
            assert (operation.get("security") == [{"key": []}, {"session": []}]) is is_kept, (method, path)
            assert ("401" in operation["responses"]) is (is_kept or operation["operationId"] == "signIn")


def test_a_page_shows_its_forms_locked_until_one_has_signed_in(stranger, world):
    task_id = world.settled_task({"error": 2})
    pages = ("/", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items?reason=http_4xx")
    for path in pages:
        page = stranger.get(path, headers=HTML)
        assert "<fieldset disabled>" in page.text
        assert "<fieldset>" not in page.text
        assert "Cookie" in page.vary
    link = re.search(r'href="(/sign-in\?next=[^"]+)">sign in', stranger.get(pages[2], headers=HTML).text)
    assert stranger.get(link[1]).status_code == 200
    answer = stranger.post("/sign-in", data={"key": f" {KEY} ", "next": pages[2]}, headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, pages[2])
    for path in pages:
        page = stranger.get(path, headers=HTML)
        assert "<fieldset disabled>" not in page.text
        assert "Sign out" in page.text
    assert stranger.post("/forms/urls", data={"urls": "https://a.example/1"}, headers=HTML).status_code == 303
    assert stranger.post("/sign-out").status_code == 303
    assert "<fieldset disabled>" in stranger.get("/", headers=HTML).text
    assert stranger.post("/forms/urls", data={"urls": "https://a.example/1"}, headers=HTML).status_code == 401


def test_the_session_is_kept_from_scripts_and_from_other_sites_and_is_not_the_key(stranger):
    answer = stranger.post("/sign-in", data={"key": KEY})
    (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert 0 < int(cookie["max-age"]) <= 86_400
    assert not cookie["secure"]
    assert KEY not in answer.headers["Set-Cookie"]
    encrypted = stranger.post("/sign-in", data={"key": KEY}, base_url="https://localhost")
    assert "Secure" in encrypted.headers["Set-Cookie"]


def test_the_session_of_a_key_that_was_replaced_is_over(application, stranger):
    stranger.post("/sign-in", data={"key": KEY})
    session = stranger.get_cookie(SESSION).value
    for keys, status in ((KEY, 201), (SECOND, 401)):
        client = application(API_KEYS=keys).test_client()
        client.set_cookie(SESSION, session)
        assert client.post("/url_tasks", **LIST).status_code == status


def test_a_copy_of_a_session_is_worth_nothing_once_its_owner_has_signed_out(application):
    app = application()
    owner, thief = app.test_client(), app.test_client()
    owner.post("/sign-in", data={"key": KEY})
    thief.set_cookie(SESSION, owner.get_cookie(SESSION).value)
    assert thief.post("/url_tasks", **LIST).status_code == 201
    assert owner.post("/sign-out").status_code == 303
    assert thief.post("/url_tasks", **LIST).status_code == 401


@pytest.mark.parametrize("session", ["", "signed-in", "signed-in.aaaa.bbbb", "é", "x" * 4_000])
def test_a_forged_session_is_none(stranger, session):
    stranger.set_cookie(SESSION, session)
    assert stranger.post("/url_tasks", **LIST).status_code == 401
    assert stranger.get("/", headers=HTML).status_code == 200


def test_a_wrong_key_is_told_on_the_page_and_not_shown_again(stranger):
    answer = stranger.post("/sign-in", data={"key": "hunter2<script>", "next": "/images"}, headers=HTML)
    assert (answer.status_code, answer.mimetype) == (401, "text/html")
    assert "none of the keys" in answer.text
    assert "hunter2" not in answer.text
    assert 'name="next" value="/images"' in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie:a=b",
        "a",
        "/ ",
    ],
)
def test_signing_in_leads_to_no_other_site(stranger, address):
    assert stranger.get("/sign-in", query_string={"next": address}).status_code == 422
    answer = stranger.post("/sign-in", data={"key": KEY, "next": address})
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_no_page_of_another_site_signs_anybody_in_or_out(stranger, path):
    answer = stranger.post(path, data={"key": KEY}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_a_page_of_another_site_writes_nothing_with_a_session_either(stranger, database):
    stranger.post("/sign-in", data={"key": KEY})
    answer = stranger.post("/url_tasks", **LIST, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert database["tasks"].count_documents({}) == 0


def test_no_key_is_logged(stranger, caplog):
    caplog.set_level(logging.DEBUG)
    for given in (KEY, "a-wrong-key-of-the-tests"):
        stranger.post("/sign-in", data={"key": given})
        stranger.post(f"/url_tasks?key={given}", **LIST, headers={"Authorization": f"Bearer {given}"})
    assert "POST /url_tasks for 127.0.0.1: 201" in caplog.text
    assert "POST /sign-in for 127.0.0.1: 401" in caplog.text
    assert "-of-the-tests" not in caplog.text
    assert stranger.get_cookie(SESSION).value not in caplog.text
