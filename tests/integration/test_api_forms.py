"""The forms of the home page: they lead to the task, keep what was typed, and take nothing from other sites."""

import io

import pytest

from common.facts import PageSubmitted, UrlSubmitted
from common.settings import Settings
from services.api.app import create_app
from tests.api_world import KEY, with_key

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
OURS = {**HTML, "Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
FORMS = ("/forms/urls", "/forms/page", "/forms/samples")


def send(client, path="/forms/urls", **fields):
    multipart = {"content_type": "multipart/form-data"} if path == "/forms/urls" else {}
    return client.post(path, data=fields, headers=OURS, **multipart)


def urls(publisher) -> list[str]:
    return [UrlSubmitted.from_message(publication.message).item.url for publication in publisher.publications]


def test_a_typed_list_becomes_a_task_and_leads_to_its_page(client, publisher):
    answer = send(client, urls="https://a.example/1\r\n\r\n# no\r\nnot a url", name=" cats ", refresh="true")
    assert answer.status_code == 303
    task = client.get(answer.headers["Location"]).json
    assert (task["total"], task["pending"], task["name"], task["refresh"]) == (2, 2, " cats ", True)
    assert urls(publisher) == ["https://a.example/1", "not a url"]
    assert publisher.flushes == 1


def test_a_file_is_taken_beside_what_is_typed(client, publisher):
    file = (io.BytesIO("\ufeffhttps://a.example/2\r\nhttps://a.example/ü".encode()), "list.txt")
    assert send(client, urls="https://a.example/1", file=file, name="").status_code == 303
    assert urls(publisher) == ["https://a.example/1", "https://a.example/2", "https://a.example/ü"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"urls": "# nothing\n"}, "There is no URL in the list."),
        ({"urls": "https://a.example/\n" * 51}, "at most 50 at once; these are 51"),
        ({"urls": "https://a.example/", "name": "x" * 201}, "a text of at most 200 characters"),
        ({"urls": "https://a.example/", "refresh": "perhaps"}, "refresh must be true or false"),
        ({"urls": "x", "file": (io.BytesIO(b"\xff\xfeh"), "utf16.txt")}, "is not UTF-8"),
    ],
)
def test_what_is_wrong_stands_beside_the_form_and_what_was_typed_is_kept(client, world, publisher, fields, sentence):
    answer = send(client, **fields)
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert sentence in answer.text
    assert f"{fields['urls'].strip()}</textarea>" in answer.text.replace("\n</textarea>", "</textarea>")
    assert 'aria-invalid="true" aria-describedby="urls-refusal" autofocus' in answer.text
    assert answer.text.count('role="alert"') == 1
    assert world.database["tasks"].count_documents({}) == 0
    assert publisher.publications == []


def test_typed_markup_is_given_back_as_text(client):
    attack = "</textarea><script>alert(1)</script>"
    answer = send(client, urls=f"{attack}", name="x" * 201)
    assert "<script>alert" not in answer.text
    assert "&lt;/textarea&gt;&lt;script&gt;" in answer.text


def test_too_much_is_413_with_a_way_out(client, publisher):
    answer = send(client, urls="https://a.example/".ljust(70_000, "a"))
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert "more than 65,536 bytes" in answer.text
    assert "<code>fetcher publish FILE</code>" in answer.text
    assert publisher.publications == []


def test_nearly_as_much_as_is_taken_is_taken(client):
    """werkzeug has a bound of its own for forms, which is lower than ours."""
    assert send(client, urls="https://a.example/".ljust(65_000, "a")).status_code == 303


def test_without_a_broker_the_form_stays_filled_in(client, world, publisher):
    publisher.ready = False
    for path, fields in (
        ("/forms/urls", {"urls": "https://a.example/1"}),
        ("/forms/page", {"url": "https://b.example/"}),
    ):
        answer = send(client, path, images="true", **fields)
        assert answer.status_code == 503
        assert "The broker does not answer just now" in answer.text
        assert next(iter(fields.values())) in answer.text
        assert int(answer.headers["Retry-After"]) > 0
    assert world.database["tasks"].count_documents({}) == 0


def test_a_broker_that_goes_away_in_the_middle_leads_to_the_task_that_was_opened(client, world, publisher):
    publisher.broken = True
    answer = send(client, urls="https://a.example/1")
    (task,) = world.database["tasks"].find()
    assert answer.status_code == 503
    assert f"/url_tasks/{task['_id']}" in answer.text


def test_a_page_becomes_a_task_of_each_kind_and_again_leads_to_the_same(client, world, publisher):
    fields = {"url": " https://A.example/gallery ", "images": "true", "text": "true"}
    first, again = send(client, "/forms/page", **fields), send(client, "/forms/page", **fields)
    assert first.status_code == again.status_code == 303
    assert first.headers["Location"] == again.headers["Location"]
    kinds = {task["kind"]: task["page"] for task in world.database["tasks"].find()}
    assert kinds == dict.fromkeys(("images", "text"), "https://a.example/gallery")
    assert client.get(first.headers["Location"]).json["kind"] == "images"
    facts = [PageSubmitted.from_message(publication.message) for publication in publisher.publications]
    assert {fact.images for fact in facts} == {True, False}
    anew = send(client, "/forms/page", **fields, refresh="true")
    assert anew.headers["Location"] != first.headers["Location"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "https://a.example/"}, "Choose the page&#39;s images, its text, or both."),
        ({"url": "a.example", "text": "true"}, "must be an http or https URL that can be asked"),
        ({"url": "ftp://a.example/", "images": "true"}, "neither http nor https"),
        ({"images": "true"}, "must be an http or https URL that can be asked"),
    ],
)
def test_a_page_that_cannot_be_asked_for_is_refused_beside_its_form(client, world, fields, sentence):
    answer = send(client, "/forms/page", **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'aria-describedby="page-refusal"' in answer.text
    assert 'aria-describedby="urls-refusal"' not in answer.text
    assert world.database["tasks"].count_documents({}) == 0


def test_samples_are_offered_and_loaded_only_where_there_is_a_list(database, publisher, client, tmp_path):
    assert "Load the samples" not in client.get("/", headers=HTML).text
    assert send(client, "/forms/samples").status_code == 404
    samples = tmp_path / "urls.txt"
    samples.write_text("http://127.0.0.2:8081/1/2\n")
    settings = Settings.from_environ({"API_KEYS": KEY, "SAMPLES_LIST": str(samples)})
    served = with_key(create_app(settings, database, publisher))
    assert "Load the samples" in served.get("/", headers=HTML).text
    answer = send(served, "/forms/samples")
    assert answer.status_code == 303
    assert served.get(answer.headers["Location"]).json["name"] == "samples"
    assert urls(publisher) == ["http://127.0.0.2:8081/1/2"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8081"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
    ],
)
@pytest.mark.parametrize("path", [*FORMS, "/url_tasks", "/url_tasks/00000000-0000-4000-8000-000000000000/retry"])
def test_a_page_of_another_site_can_hand_in_nothing(client, world, publisher, path, headers):
    answer = client.post(path, data="https://a.example/1", content_type="text/plain", headers=headers)
    assert answer.status_code == 403
    assert answer.json["detail"].endswith(".")
    assert world.database["tasks"].count_documents({}) == 0
    assert publisher.publications == []


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_our_own_pages_and_programs_can(client, headers):
    fields = {"urls": "https://a.example/1"}
    answer = client.post("/forms/urls", data=fields, content_type="multipart/form-data", headers=headers)
    assert answer.status_code == 303
