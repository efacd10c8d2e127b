"""Handing in a list over HTTP: all of it is written and published, or the answer says what was."""

import json

import pytest

from common.facts import UrlSubmitted
from tests.api_world import NotingPublisher

URLS = ["https://a.example/1", "https://a.example/2", "https://a.example/1"]


def published(publisher: NotingPublisher) -> list[UrlSubmitted]:
    return [UrlSubmitted.from_message(publication.message) for publication in publisher.publications]


def test_a_json_list_becomes_a_task_whose_items_are_written_and_published(client, world, publisher):
    answer = client.post("/url_tasks", json={"urls": URLS, "name": "three", "refresh": True})
    assert answer.status_code == 201
    task = answer.json
    assert answer.headers["Location"] == f"/url_tasks/{task['id']}"
    assert (task["total"], task["pending"], task["published"]) == (3, 3, True)
    assert (task["name"], task["refresh"], task["kind"]) == ("three", True, "url")
    assert client.get(answer.headers["Location"]).json == task
    assert [fact.item.url for fact in published(publisher)] == URLS
    assert all(fact.refresh and str(fact.item.task_id) == task["id"] for fact in published(publisher))
    assert publisher.flushes == 1
    assert world.database["items"].count_documents({}) == 3


def test_the_lines_of_a_file_are_taken_as_they_are(client, publisher):
    body = "\ufeff# my list\r\nhttps://a.example/ü\r\n\r\nnot a url\n".encode()
    answer = client.post("/url_tasks?name=file&refresh=false", data=body, content_type="text/plain; charset=UTF-8")
    assert answer.status_code == 201
    assert (answer.json["name"], answer.json["refresh"], answer.json["total"]) == ("file", False, 2)
    assert [fact.item.url for fact in published(publisher)] == ["https://a.example/ü", "not a url"]


def test_a_curl_without_content_type_is_told_what_to_send(client):
    answer = client.post("/url_tasks", data=b"https://a.example", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 415
    assert "text/plain" in answer.json["detail"]


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("text/html", {}),
        ("text/plain; charset=latin-1", {}),
        ("application/json", {"Content-Encoding": "gzip"}),
        ("multipart/form-data; boundary=x", {}),
        ("", {}),
    ],
)
def test_other_content_is_415(client, content_type, headers):
    answer = client.post("/url_tasks", data=b'{"urls": ["x"]}', content_type=content_type, headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b'{"urls": {"$gt": ""}}',
        b'{"urls": []}',
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"urls": ["\\ud800"]}',
        json.dumps({"urls": ["https://a.example"] * 51}).encode(),
    ],
)
def test_a_bad_list_is_422_with_a_sentence_and_writes_nothing(client, world, publisher, body):
    answer = client.post("/url_tasks", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"].endswith(".")
    assert world.database["tasks"].count_documents({}) == 0
    assert publisher.publications == []


@pytest.mark.parametrize(
    ("query", "body"),
    [("", b"\xff"), ("", b"# nothing\n\n"), ("?refresh=maybe", b"x"), ("", b"x\n" * 51), (f"?name={'x' * 201}", b"x")],
)
def test_a_bad_file_is_422_with_a_sentence(client, query, body):
    answer = client.post(f"/url_tasks{query}", data=body, content_type="text/plain")
    assert answer.status_code == 422
    assert answer.json["detail"].endswith(".")


def test_a_byte_too_many_is_413(client):
    fitting = b"https://a.example/".ljust(65_536, b"a")
    assert client.post("/url_tasks", data=fitting, content_type="text/plain").status_code == 201
    answer = client.post("/url_tasks", data=fitting + b"a", content_type="text/plain")
    assert answer.status_code == 413
    assert answer.json["detail"].endswith(".")


def test_without_a_broker_nothing_is_written_and_the_answer_says_when_to_come_again(client, world, publisher):
    publisher.ready = False
    answer = client.post("/url_tasks", json={"urls": URLS})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "broker" in answer.json["detail"]
    assert world.database["tasks"].count_documents({}) == 0


def test_a_broker_that_goes_away_in_the_middle_leaves_a_task_that_the_answer_names(client, world, publisher):
    publisher.broken = True
    answer = client.post("/url_tasks", json={"urls": URLS})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "10.1.2.3" not in answer.text
    task_id = answer.json["task"]
    assert task_id in answer.json["detail"]
    task = client.get(f"/url_tasks/{task_id}").json
    assert (task["published"], task["pending"]) == (False, 3)


def test_a_url_with_a_password_is_not_kept(client, publisher):
    client.post("/url_tasks", json={"urls": ["https://me:secret@a.example/"]})
    assert "secret" not in published(publisher)[0].item.url
