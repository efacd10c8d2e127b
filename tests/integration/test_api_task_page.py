"""The page of a task: how it goes, why items failed, and having them tried again."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from common.facts import PageSubmitted, UrlSubmitted
from common.items import item_id
from common.queue_states import QueueState
from common.reasons import Reason
from services.api.pages import by_reason, duration
from services.api.queries.pace import pace
from services.api.queries.tasks import find_task
from services.api.retrying import RETRY_SECONDS, Retried, retry
from tests.api_world import NOON

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def page(client, task_id) -> str:
    answer = client.get(f"/url_tasks/{task_id}", headers=HTML)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


@pytest.fixture
def failed(world):
    """Give a task of six lines of which five failed, for three reasons."""
    task_id = world.task([f"https://a.example/{line}" for line in range(1, 7)])
    world.end(task_id, 1, "success")
    for line, reason, status in ((2, "http_4xx", 404), (3, "http_4xx", 410), (4, "http_4xx", 404), (5, "dns", None)):
        world.end(task_id, line, "error", reason=reason, **({"status": status} if status else {}))
    world.end(task_id, 6, "error", reason="timeout")
    return task_id


def test_errors_are_gathered_by_reason_with_what_it_means_where_they_are_and_a_way_to_try_again(client, failed):
    text = page(client, failed)
    assert "5 failed, and below is why" in text
    assert "HTTP 404 Not Found (2), HTTP 410 Gone (1)" in text
    assert "the host&#39;s name does not resolve" in text
    assert f"/url_tasks/{failed}/items?outcome=error&amp;reason=http_4xx" in text
    assert '<button name="reason" value="http_4xx">Try 3 again' in text
    assert text.index('value="http_4xx"') < text.index('value="dns"')


def test_reasons_are_ordered_by_how_many_items_they_have_in_all(database, failed):
    rows = by_reason(find_task(database, failed).tally.failures)
    assert [(reason.value, count) for reason, count, _ in rows] == [("http_4xx", 3), ("dns", 1), ("timeout", 1)]


def test_a_retry_reopens_the_items_of_its_reasons_and_publishes_them(client, world, publisher, failed):
    answer = client.post(f"/url_tasks/{failed}/retry", json={"reasons": ["http_4xx", "timeout"]})
    assert (answer.status_code, answer.json["reopened"], answer.json["left"]) == (200, 4, 0)
    task = client.get(answer.json["links"]["task"]).json
    assert (task["success"], task["error"], task["pending"]) == (1, 1, 4)
    facts = [UrlSubmitted.from_message(publication.message) for publication in publisher.publications]
    assert [(fact.item.url[-1], fact.item.round) for fact in facts] == [("2", 1), ("3", 1), ("4", 1), ("6", 1)]
    assert publisher.flushes == 1
    (earlier,) = client.get(f"/url_tasks/{failed}/items").json["items"][1]["history"]
    assert (earlier["reason"], earlier["status"]) == ("http_4xx", 404)


def test_a_retry_by_form_leads_back_to_the_task(client, publisher, failed):
    answer = client.post(f"/url_tasks/{failed}/retry", data={"reason": "dns"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/url_tasks/{failed}")
    assert len(publisher.publications) == 1
    assert client.post(f"/url_tasks/{failed}/retry", data={"reason": "dns"}).status_code == 303
    assert len(publisher.publications) == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"reasons": []}},
        {"json": {"reasons": ["because"]}},
        {"json": {"reasons": "dns"}},
        {"json": {}},
        {"data": {"reason": "because"}},
        {"data": {"reason[$ne]": "x"}},
        {"data": {}, "content_type": "application/x-www-form-urlencoded"},
    ],
)
def test_a_retry_for_what_is_no_reason_is_422_and_changes_nothing(client, publisher, failed, sent):
    answer = client.post(f"/url_tasks/{failed}/retry", **sent)
    assert answer.status_code == 422
    assert answer.json["detail"].endswith(".")
    assert publisher.publications == []
    assert client.get(f"/url_tasks/{failed}").json["error"] == 5


def test_a_retry_of_what_is_not_there_or_not_readable_is_refused(client, publisher, failed):
    assert client.post(f"/url_tasks/{uuid4()}/retry", json={"reasons": ["dns"]}).status_code == 404
    assert client.post(f"/url_tasks/{failed}/retry", data="dns", content_type="text/plain").status_code == 415
    publisher.ready = False
    assert client.post(f"/url_tasks/{failed}/retry", json={"reasons": ["dns"]}).status_code == 503
    assert client.get(f"/url_tasks/{failed}").json["error"] == 5


def test_a_broker_that_goes_away_in_a_retry_is_told_with_the_command_that_goes_on(client, publisher, failed):
    publisher.broken = True
    answer = client.post(f"/url_tasks/{failed}/retry", json={"reasons": ["dns"]})
    assert answer.status_code == 503
    assert f"fetcher publish --resume {failed}" in answer.json["detail"]
    assert answer.json["task"] == str(failed)
    assert client.get(f"/url_tasks/{failed}").json["pending"] == 1


def test_a_large_retry_stops_after_some_seconds_with_nothing_half_done_and_says_what_is_left(
    database, world, publisher
):
    task_id = world.task([f"https://a.example/{line}" for line in range(2_500)])
    ended = {"outcome": "error", "reason": "timeout", "finished_at": NOON, "stage": "fetcher", "attempts": 4}
    database["items"].update_many({"task_id": task_id}, {"$set": ended})
    moments = iter([0.0, RETRY_SECONDS - 1, RETRY_SECONDS, *[RETRY_SECONDS] * 9])
    task = find_task(database, task_id)
    assert retry(database, publisher, task, [Reason.TIMEOUT], clock=lambda: next(moments)) == Retried(2_000, 500)
    pending = {document["_id"] for document in database["items"].find({"task_id": task_id, "outcome": "pending"})}
    assert {
        UrlSubmitted.from_message(publication.message).item.item_id for publication in publisher.publications
    } == pending
    assert retry(database, publisher, task, [Reason.TIMEOUT]) == Retried(500, 0)


def test_a_deleted_task_says_so_and_is_not_tried_again(client, world, failed):
    world.database["tasks"].update_one({"_id": failed}, {"$set": {"deleted_at": NOON}})
    text = page(client, failed)
    assert "This task was deleted" in text
    assert "Try 3 again" not in text
    answer = client.post(f"/url_tasks/{failed}/retry", json={"reasons": ["dns"]})
    assert (answer.status_code, "deleted" in answer.json["detail"]) == (422, True)


def test_a_rate_is_told_only_once_there_is_enough_to_tell_it_from(database, world):
    task_id = world.task([f"https://a.example/{line}" for line in range(100)])
    for line in range(1, 41):
        world.end(task_id, line, "success", at=NOON + timedelta(seconds=line / 2))

    def at(seconds: float):
        return pace(database, task_id, NOON + timedelta(seconds=seconds))

    assert at(4.4).per_second is None
    assert at(10).per_second == pytest.approx(2, rel=0.06)
    assert at(20).seconds_left(60) == pytest.approx(30, rel=0.06)
    assert at(90).ended == 0
    assert at(90).seconds_left(60) is None


def test_a_task_under_way_tells_its_rate_and_the_time_left_or_that_nothing_moves(client, world):
    task_id = world.task([f"https://a.example/{line}" for line in range(100)], created_at=datetime.now(UTC))
    assert "none has ended within the last minute" in page(client, task_id)
    client.application.extensions["graymill"].recent_tallies._counted.clear()
    now = datetime.now(UTC)
    for line in range(1, 41):
        world.end(task_id, line, "success", at=now - timedelta(seconds=line / 2))
    text = page(client, task_id)
    assert "60 of 100 URLs have no outcome yet; at 2.0 a second, about 30 s left" in text or "about 3" in text
    assert "<title>40 % · Task" in text


def test_a_task_that_waits_for_a_stage_without_workers_says_so(client, publisher, world):
    publisher.states = {**publisher.states, "hasher": QueueState(3, 0)}
    assert "No hasher runs, and 3 messages wait for one" in page(client, world.settled_task({"pending": 3}))
    assert "No hasher runs" not in page(client, world.settled_task({"success": 3}))


def test_time_spans_are_written_as_roughly_as_they_are_meant():
    spans = (0.2, 45, 89, 95, 3_000, 5_400, 90_000, 200_000)
    assert [duration(seconds) for seconds in spans] == [
        "1 s",
        "45 s",
        "89 s",
        "2 min",
        "50 min",
        "1.5 h",
        "25 h",
        "2 days",
    ]


def test_the_page_of_a_page_s_task_shows_what_was_read_of_it(client, world):
    read = {"title": "Cats & more", "url": "https://a.example/after", "images_left_out": 7, "is_cut": True}
    images = world.page_task("images", "https://a.example/cats", images={"success": 2, "error": 1}, read=read)
    text = world.page_task("text", "https://a.example/cats", read=read)
    shown = page(client, images)
    assert "Cats &amp; more" in shown
    assert "https://a.example/after" in shown
    assert "3 found, 7 more left out" in shown
    assert f'href="/url_tasks/{text}">The text of this page' in shown
    assert "= <b>3</b> in all" in shown
    assert "only its beginning was read" in shown
    shown = page(client, text)
    assert f'href="/text_tasks/{text}/text?form=main"' in shown
    assert f'href="/url_tasks/{images}">The images of this page' in shown
    assert "The page was read." in shown


def test_a_page_that_failed_can_be_tried_again_from_its_page(client, world, publisher):
    task_id = world.page_task("images", "https://a.example/", failed={"reason": "not_html", "detail": "image/png"})
    assert "the answer is no HTML" in page(client, task_id)
    assert client.post(f"/url_tasks/{task_id}/retry", data={"reason": "not_html"}).status_code == 303
    (fact,) = [PageSubmitted.from_message(publication.message) for publication in publisher.publications]
    assert (fact.item.item_id, fact.item.round, fact.images) == (item_id(task_id, 0), 1, True)
    assert "The page is being fetched and read." in page(client, task_id)


def test_the_lines_of_a_reason_say_what_it_means_and_offer_to_try_them_again(client, failed):
    text = " ".join(client.get(f"/url_tasks/{failed}/items?reason=dns", headers=HTML).text.split())
    assert "The host&#39;s name does not resolve." in text
    assert '<button name="reason" value="dns">' in text
    assert '<form method="post"' not in client.get(f"/url_tasks/{failed}/items", headers=HTML).text


def test_a_task_page_is_made_in_no_time(client, world):
    """It is asked for every two seconds by everybody who looks at it."""
    task_id = world.settled_task({"success": 500, "error": 300, "pending": 200})
    seconds = []
    for _ in range(10):
        started = time.monotonic()
        page(client, task_id)
        seconds.append(time.monotonic() - started)
    assert sorted(seconds)[5] < 0.3
