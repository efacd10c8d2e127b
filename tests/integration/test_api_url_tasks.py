"""The ledger of a submission: four numbers that add up, the errors by reason, every line."""

from datetime import timedelta
from uuid import uuid4

import pytest

from common.items import Outcome, item_id
from common.reasons import Reason
from services.api.queries.items import ItemFilter, items_of
from tests.api_world import NOON

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_the_parts_of_a_task_add_up_to_its_total(client, world):
    task_id = world.settled_task({"success": 4, "duplicate": 3, "error": 2, "pending": 1}, name="list")
    world.database["items"].update_one({"_id": item_id(task_id, 5)}, {"$set": {"known_by": "url"}})
    task = client.get(f"/url_tasks/{task_id}").json
    assert (task["success"], task["duplicate"], task["error"], task["pending"]) == (4, 3, 2, 1)
    assert task["total"] == 10
    assert task["duplicates_known_by_url"] == 1
    assert (task["id"], task["name"], task["kind"], task["refresh"]) == (str(task_id), "list", "url", False)
    assert task["published"] is True
    assert task["finished_at"] is None
    assert task["images_per_second"] is None


def test_a_task_without_pending_items_tells_when_it_finished_and_how_fast(client, world):
    task_id = world.settled_task({"success": 4, "duplicate": 4, "error": 2})
    task = client.get(f"/url_tasks/{task_id}").json
    assert task["finished_at"] == "2024-05-31T12:00:10Z"
    assert task["images_per_second"] == 0.8


def test_a_task_that_is_still_being_written_is_not_finished_though_nothing_is_pending(client, world):
    task_id = world.settled_task({"success": 2})
    world.database["tasks"].update_one({"_id": task_id}, {"$set": {"total": None}})
    task = client.get(f"/url_tasks/{task_id}").json
    assert (task["published"], task["total"], task["finished_at"]) == (False, 2, None)


def test_errors_are_counted_by_reason_and_status_with_their_meaning_and_a_link(client, world):
    task_id = world.task([f"https://a.example/{line}" for line in range(6)])
    for line, reason, status in ((1, "http_4xx", 404), (2, "http_4xx", 404), (3, "http_4xx", 400), (4, "dns", None)):
        world.end(task_id, line, "error", reason=reason, **({"status": status} if status else {}))
    errors = client.get(f"/url_tasks/{task_id}").json["errors"]
    assert [(row["reason"], row["status"], row["count"]) for row in errors] == [
        ("http_4xx", 404, 2),
        ("dns", None, 1),
        ("http_4xx", 400, 1),
    ]
    assert "does not resolve" in errors[1]["meaning"]
    assert [item["line"] for item in client.get(errors[0]["items"]).json["items"]] == [1, 2, 3]


def test_tasks_are_listed_newest_first_in_pages_even_those_of_the_same_moment(client, world):
    made = [world.task(["https://a.example"], created_at=NOON + timedelta(seconds=number // 3)) for number in range(7)]
    seen, address = [], "/url_tasks?limit=2"
    while address:
        answer = client.get(address).json
        seen += [task["id"] for task in answer["tasks"]]
        address = answer["next"]
    assert seen == [str(key) for key in sorted(made, key=lambda key: (made.index(key) // 3, key.bytes), reverse=True)]


def test_items_come_in_the_order_of_their_lines_and_only_those_of_the_task(client, world):
    world.settled_task({"success": 3})
    task_id = world.settled_task({"success": 3, "error": 5, "pending": 4})
    world.settled_task({"success": 3})
    seen, address = [], f"/url_tasks/{task_id}/items?limit=5"
    while address:
        answer = client.get(address)
        seen += [(item["line"], item["outcome"]) for item in answer.json["items"]]
        address = answer.json["next"]
        assert answer.headers.get("Link") == (f'<{address}>; rel="next"' if address else None)
    outcomes = ["success"] * 3 + ["error"] * 5 + ["pending"] * 4
    assert seen == list(enumerate(outcomes, start=1))


@pytest.mark.parametrize("few", [0, 2_000])
def test_items_are_filtered_alike_whether_few_match_or_many(database, world, few):
    task_id = world.settled_task({"success": 6, "error": 6, "pending": 3})
    world.end(task_id, 9, "error", reason="dns")

    def lines(limit: int, after: int = 0, **wanted):
        items, following = items_of(database, task_id, ItemFilter(**wanted), limit, after, few=few)
        return [item.line for item in items], following

    assert lines(4, outcome=Outcome.ERROR) == ([7, 8, 9, 10], 10)
    assert lines(4, 10, outcome=Outcome.ERROR) == ([11, 12], None)
    assert lines(4, reason=Reason.DNS) == ([9], None)
    assert lines(4, outcome=Outcome.SUCCESS, reason=Reason.DNS) == ([], None)


def test_a_filter_stays_on_through_the_pages(client, world):
    task_id = world.settled_task({"success": 6, "error": 6})
    first = client.get(f"/url_tasks/{task_id}/items?outcome=error&reason=&limit=4").json
    second = client.get(first["next"]).json
    assert [item["line"] for item in first["items"] + second["items"]] == [7, 8, 9, 10, 11, 12]


def test_an_item_tells_how_it_ended_and_how_its_earlier_rounds_did(client, world):
    task_id = world.task(["https://a.example/1", "https://a.example/2"])
    earlier = {"outcome": "error", "reason": "timeout", "detail": "no byte for 10 s", "stage": "fetcher"}
    ended = {**earlier, "attempts": 4, "finished_at": NOON, "round": 0}
    md5 = world.image(b"one")
    world.end(task_id, 1, "success", md5=md5, history=[ended], round=1)
    one, two = client.get(f"/url_tasks/{task_id}/items").json["items"]
    assert (one["outcome"], one["md5"], one["round"], one["url"]) == ("success", md5, 1, "https://a.example/1")
    assert one["links"]["image"] == f"/image/{md5}"
    (past,) = one["history"]
    assert (past["reason"], past["attempts"], past["detail"]) == ("timeout", 4, "no byte for 10 s")
    assert past["finished_at"] == "2024-05-31T12:00:00Z"
    assert (two["outcome"], two["md5"], two["finished_at"], two["links"]) == ("pending", None, None, {})


def test_an_unknown_or_malformed_task_is_404_with_a_sentence(client):
    for key in (str(uuid4()), "1", str(uuid4()).upper(), f"{{{uuid4()}}}", "%00", "' OR 1=1"):
        for path in (f"/url_tasks/{key}", f"/url_tasks/{key}/items"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert answer.json["detail"] == "There is no task with this id."


def test_a_browser_gets_pages_and_a_program_json_unless_told_otherwise(client, world):
    task_id = world.settled_task({"success": 1, "error": 1, "pending": 1}, name="a list")
    for path in ("/url_tasks", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items"):
        page = client.get(path, headers=HTML)
        assert page.mimetype == "text/html"
        assert "Accept" in page.headers["Vary"]
        assert client.get(path).mimetype == "application/json"
        assert client.get(f"{path}?format=html").mimetype == "text/html"
        assert client.get(f"{path}?format=json", headers=HTML).mimetype == "application/json"
        assert client.get(f"{path}?format=xml").status_code == 422


def test_a_strangers_text_is_shown_escaped_and_is_a_link_only_for_http(client, world):
    attack = 'https://a.example/"><script>alert(1)</script>'
    name = "<script>alert(2)</script>"
    task_id = world.task([attack, "javascript:alert(3)", "data:text/html,x"], name=name)
    world.end(task_id, 1, "error", detail="<img src=x onerror=alert(4)>")
    for path in ("/", "/monitoring", "/url_tasks", f"/url_tasks/{task_id}", f"/url_tasks/{task_id}/items"):
        text = client.get(path, headers=HTML).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert 'href="javascript:' not in text
        assert 'href="data:' not in text
    items = client.get(f"/url_tasks/{task_id}/items", headers=HTML).text
    assert "&lt;script&gt;alert(1)" in items
    assert 'rel="noopener noreferrer nofollow"' in items
    assert "javascript:alert(3)" in items
