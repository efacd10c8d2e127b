"""The tasks of web pages over HTTP: handed in once, told in full, tried again, deleted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from common.facts import PageSubmitted
from common.items import item_id
from common.page_tasks import Kind
from common.settings import Settings
from services.api.app import create_app
from tests.api_world import KEY, NOON, NotingPublisher, with_key
from tests.page_world import PAGE

SECRET = "a secret that is long enough"
KINDS = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)


def published(publisher: NotingPublisher) -> list[PageSubmitted]:
    return [PageSubmitted.from_message(publication.message) for publication in publisher.publications]


@KINDS
def test_a_page_becomes_a_task_that_is_written_and_published(client, publisher, database, kind):
    answer = client.post(f"/{kind}_tasks", json={"url": "HTTPS://A.example:443/page#top", "name": "mine"})
    assert answer.status_code == 201
    task = answer.json
    assert answer.headers["Location"] == f"/{kind}_tasks/{task['id']}"
    assert (task["url"], task["name"], task["refresh"], task["status"]) == (PAGE, "mine", False, "waiting")
    assert (task["page"]["outcome"], task["page"]["title"], task["finished_at"]) == ("pending", None, None)
    assert task["webhook"] is None
    assert client.get(answer.headers["Location"]).json == task
    [fact] = published(publisher)
    assert (fact.item.url, str(fact.item.task_id), fact.images) == (PAGE, task["id"], kind is Kind.IMAGES)
    assert publisher.flushes == 1
    assert database["items"].count_documents({}) == 1


def test_the_same_page_again_is_answered_with_its_task_and_published_no_more(client, publisher):
    first = client.post("/images_tasks", json={"url": PAGE})
    again = client.post("/images_tasks", json={"url": PAGE, "name": "another"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    assert "Location" not in again.headers
    assert len(published(publisher)) == 1
    assert client.post("/text_tasks", json={"url": PAGE}).status_code == 201


def test_refresh_makes_another_task_which_is_then_the_pages(client, publisher):
    first = client.post("/images_tasks", json={"url": PAGE}).json["id"]
    second = client.post("/images_tasks", json={"url": PAGE, "refresh": True})
    assert (second.status_code, second.json["refresh"]) == (201, True)
    assert client.post("/images_tasks", json={"url": PAGE}).json["id"] == second.json["id"] != first
    assert client.get(f"/images_tasks/{first}").status_code == 200
    assert [fact.refresh for fact in published(publisher)] == [False, True]


def test_a_page_that_failed_is_tried_again_in_the_same_task(client, publisher, pages):
    task_id = pages.fail(pages.task(is_current=True))
    assert client.get(f"/images_tasks/{task_id}").json["status"] == "error"
    answer = client.post("/images_tasks", json={"url": PAGE})
    assert (answer.status_code, answer.json["id"], answer.json["status"]) == (200, str(task_id), "waiting")
    [fact] = published(publisher)
    assert (fact.item.item_id, fact.item.round) == (item_id(task_id, 0), 1)


def test_two_requests_at_the_same_moment_make_one_task(client, database):
    def post(_number: int):
        return with_key(client.application).post("/images_tasks", json={"url": PAGE})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(post, range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert database["tasks"].count_documents({}) == database["items"].count_documents({}) == 1
    assert database["tasks"].find_one()["total"] == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "url is missing"),
        ({"url": 5}, "url must be"),
        ({"url": "ftp://a.example/"}, "scheme 'ftp' is neither http nor https"),
        ({"url": "https:///x"}, "no host name"),
        ({"url": "https://u:s3cret@a.example/"}, "a user name or password"),
        ({"url": "https://a.example/\x00"}, "a control character"),
        ({"url": f"https://a.example/{'x' * 3000}"}, "longer than 2,048 characters"),
        ({"url": PAGE, "name": "x" * 201}, "name must be a text of at most 200 characters"),
        ({"url": PAGE, "refresh": "yes"}, "refresh must be true or false"),
        ({"url": PAGE, "images": True}, "no member 'images'"),
        ({"url": PAGE, "webhook": "https://b.example/"}, "WEBHOOK_SECRET is not set"),
        ({"url": {"$gt": ""}}, "url must be"),
    ],
)
def test_what_cannot_be_a_page_is_refused_with_a_sentence(client, database, body, says):
    answer = client.post("/images_tasks", json=body)
    assert answer.status_code == 422
    assert says in answer.json["detail"]
    assert "s3cret" not in answer.text
    assert database["tasks"].count_documents({}) == 0


def test_only_json_is_taken(client):
    answer = client.post("/text_tasks", data=PAGE, content_type="text/plain")
    assert (answer.status_code, "text/plain" in answer.json["detail"]) == (415, False)


def test_a_webhook_is_taken_and_shown_where_there_is_a_secret(database, publisher):
    settings = Settings.from_environ({"API_KEYS": KEY, "WEBHOOK_SECRET": SECRET})
    client = with_key(create_app(settings, database, publisher))
    refused = client.post("/images_tasks", json={"url": PAGE, "webhook": "file:///etc/passwd"})
    assert (refused.status_code, "webhook must be" in refused.json["detail"]) == (422, True)
    task = client.post("/images_tasks", json={"url": PAGE, "webhook": "https://b.example/hook"}).json
    assert task["webhook"] == {"url": "https://b.example/hook", "told_at": None, "attempts": 0, "error": None}
    told = {"webhook.told": NOON, "webhook.attempts": 2}
    database["tasks"].update_one({"_id": UUID(task["id"])}, {"$set": told})
    webhook = client.get(f"/images_tasks/{task['id']}").json["webhook"]
    assert (webhook["told_at"], webhook["attempts"]) == ("2024-05-31T12:00:00Z", 2)
    assert "webhook" in client.get("/openapi.json").json["components"]["schemas"]["PageBody"]["properties"]


def test_while_the_broker_is_away_nothing_is_written(client, publisher, database):
    publisher.ready = False
    assert client.post("/images_tasks", json={"url": PAGE}).status_code == 503
    assert database["tasks"].count_documents({}) == 0


def test_a_broker_that_goes_away_in_the_middle_leaves_a_task_that_the_next_request_completes(client, publisher):
    publisher.broken = True
    answer = client.post("/images_tasks", json={"url": PAGE})
    assert answer.status_code == 503
    assert answer.json["task"] in answer.json["detail"]
    assert "10.1.2.3" not in answer.text
    publisher.broken = False
    again = client.post("/images_tasks", json={"url": PAGE})
    assert (again.status_code, again.json["id"]) == (200, answer.json["task"])
    assert [str(fact.item.task_id) for fact in published(publisher)] == [answer.json["task"]]


def test_a_task_tells_of_its_page_and_counts_its_images_apart_from_it(client, pages):
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(4)], images_left_out=3, is_cut=True)
    task = client.get(f"/images_tasks/{task_id}").json
    assert (task["status"], task["finished_at"]) == ("in progress", None)
    assert (task["total"], task["success"], task["pending"]) == (4, 0, 4)
    page = task["page"]
    assert (page["outcome"], page["title"], page["language"]) == ("success", "A page", "en")
    assert (page["final_url"], page["canonical_url"]) == ("https://a.example/elsewhere", "https://a.example/")
    assert (page["images_left_out"], page["is_cut"]) == (3, True)
    for line, outcome in ((1, "success"), (2, "success"), (3, "duplicate")):
        pages.world.end(task_id, line, outcome)
    pages.world.end(task_id, 4, "error", at=NOON + timedelta(seconds=9), status=410)
    task = client.get(f"/images_tasks/{task_id}").json
    assert (task["status"], task["finished_at"]) == ("partial", "2024-05-31T12:00:09Z")
    assert [task[name] for name in ("total", "success", "duplicate", "error", "pending")] == [4, 2, 1, 1, 0]
    [row] = task["errors"]
    assert (row["reason"], row["status"], row["count"]) == ("http_4xx", 410, 1)
    assert [item["line"] for item in client.get(row["items"]).json["items"]] == [4]


def test_a_task_without_failures_is_a_success_and_one_whose_page_failed_an_error(client, pages):
    done = pages.read(pages.task(page=f"{PAGE}/1"), ["https://a.example/1"])
    pages.world.end(done, 1, "duplicate")
    assert client.get(f"/images_tasks/{done}").json["status"] == "success"
    empty = pages.read(pages.task(page=f"{PAGE}/2"))
    assert (client.get(f"/images_tasks/{empty}").json["status"]) == "success"
    failed = client.get(f"/images_tasks/{pages.fail(pages.task(page=f'{PAGE}/3'))}").json
    assert (failed["status"], failed["total"], failed["error"], failed["errors"]) == ("error", 0, 0, [])
    page = failed["page"]
    assert (page["outcome"], page["reason"], page["status"], page["detail"]) == (
        *("error", "http_4xx", 404),
        "404 Not Found",
    )
    assert "4xx" in page["meaning"]


@KINDS
def test_tasks_are_listed_by_kind_newest_first_in_pages_without_those_that_were_deleted(client, pages, kind):
    made = [pages.task(kind, f"{PAGE}/{n}", at=NOON + timedelta(seconds=n // 2)) for n in range(7)]
    pages.task(Kind.IMAGES if kind is Kind.TEXT else Kind.TEXT)
    pages.world.task(["https://a.example/1"])
    client.delete(f"/{kind}_tasks/{made[3]}")
    seen, address = [], f"/{kind}_tasks?limit=2"
    while address:
        answer = client.get(address)
        assert answer.headers.get("Link", "").count(answer.json["next"] or "no link") == (
            answer.json["next"] is not None
        )
        seen += answer.json["tasks"]
        address = answer.json["next"]
    newest_first = sorted(made, key=lambda key: (made.index(key) // 2, key.bytes), reverse=True)
    assert [task["id"] for task in seen] == [str(key) for key in newest_first if key != made[3]]
    assert seen[0] == client.get(f"/{kind}_tasks/{seen[0]['id']}").json


def test_what_failed_is_tried_again_on_request(client, pages, publisher):
    task_id = pages.read(pages.task(), ["https://a.example/1", "https://a.example/2"])
    pages.world.end(task_id, 1, "success")
    pages.world.end(task_id, 2, "error")
    answer = client.post(f"/images_tasks/{task_id}/retry")
    assert (answer.status_code, answer.json["status"], answer.json["pending"]) == (200, "in progress", 1)
    assert [fact.item.item_id for fact in published(publisher)] == [item_id(task_id, 0)]
    assert client.post(f"/images_tasks/{task_id}/retry").status_code == 200
    assert len(published(publisher)) == 1, "nothing has failed since"


def test_a_retry_that_the_broker_did_not_hear_of_is_made_good_by_the_next(client, pages, publisher):
    task_id = pages.fail(pages.task(Kind.TEXT))
    publisher.broken = True
    assert client.post(f"/text_tasks/{task_id}/retry").status_code == 503
    publisher.broken = False
    assert client.post(f"/text_tasks/{task_id}/retry").json["status"] == "waiting"
    assert [fact.item.round for fact in published(publisher)] == [1]


def test_the_text_is_404_with_the_tasks_status_until_it_is_there(client, pages):
    task_id = pages.task(Kind.TEXT)
    waiting = client.get(f"/text_tasks/{task_id}/text")
    assert (waiting.status_code, waiting.json["task_status"]) == (404, "waiting")
    assert "text" not in client.get(f"/text_tasks/{task_id}").json["links"]
    failed = client.get(f"/text_tasks/{pages.fail(pages.task(Kind.TEXT, f'{PAGE}/2'))}/text")
    assert (failed.status_code, failed.json["task_status"]) == (404, "error")
    pages.read(task_id)
    task = client.get(f"/text_tasks/{task_id}").json
    assert (task["status"], task["page"]["title"]) == ("success", "A page")
    whole, main = client.get(task["links"]["text"]), client.get(task["links"]["main_text"])
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (whole.text, main.text) == ("Menu\nWörter\n", "Wörter\n")
    assert main.headers["ETag"] != whole.headers["ETag"]
    again = client.get(task["links"]["text"], headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"/text_tasks/{task_id}/text?form=short").status_code == 422


@KINDS
def test_a_deleted_task_is_404_with_the_address_of_its_ledger(client, pages, database, kind):
    task_id = pages.task(kind, is_current=True)
    answer = client.delete(f"/{kind}_tasks/{task_id}")
    assert (answer.status_code, answer.data) == (204, b"")
    for ask in (client.get, client.delete):
        gone = ask(f"/{kind}_tasks/{task_id}")
        assert (gone.status_code, f"/url_tasks/{task_id}" in gone.json["detail"]) == (404, True)
    assert client.post(f"/{kind}_tasks/{task_id}/retry").status_code == 404
    assert client.get(f"/url_tasks/{task_id}").status_code == 200
    assert database["items"].find_one()["reason"] == "cancelled"
    assert client.post(f"/{kind}_tasks", json={"url": PAGE}).status_code == 201


def test_what_was_read_of_the_page_is_deleted_with_its_task(client, pages, database):
    task_id = pages.read(pages.task(Kind.TEXT))
    client.delete(f"/text_tasks/{task_id}")
    assert client.get(f"/text_tasks/{task_id}/text").status_code == 404
    assert database["pages"].count_documents({}) == 0


def test_an_unknown_or_malformed_task_or_one_of_another_kind_is_404(client, pages):
    text, images = pages.read(pages.task(Kind.TEXT)), pages.read(pages.task())
    urls = pages.world.task(["https://a.example/1"])
    for key in (uuid4(), "1", "%00", "{" + str(images) + "}", urls, text):
        for path in ("", "/images", f"/images/{'0' * 32}", "/archive"):
            assert client.get(f"/images_tasks/{key}{path}").status_code == 404
    for key in (urls, images):
        for path in ("", "/text"):
            assert client.get(f"/text_tasks/{key}{path}").status_code == 404


def test_the_general_ledger_has_the_tasks_of_pages_too(client, pages):
    task_id = pages.read(pages.task(), ["https://a.example/1"])
    assert client.get("/url_tasks").json["tasks"][0]["kind"] == "images"
    assert client.get(f"/url_tasks/{task_id}").json["kind"] == "images"
    items = client.get(f"/url_tasks/{task_id}/items").json["items"]
    assert [(item["line"], item["outcome"], item["md5"]) for item in items] == [
        (0, "success", None),
        (1, "pending", None),
    ]
    first = client.get(f"/url_tasks/{task_id}/items?limit=1").json
    assert [item["line"] for item in client.get(first["next"]).json["items"]] == [1]
    html = {"Accept": "text/html"}
    assert ">page</td>" in client.get(f"/url_tasks/{task_id}/items", headers=html).text
    for path in ("/url_tasks", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items"):
        assert client.get(path, headers=html).status_code == 200
