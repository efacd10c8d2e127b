"""Dead letters over HTTP: listed, shown, put back, thrown out."""

from datetime import timedelta
from uuid import UUID

import pytest

from common.dead_letters import DeadLetter, DeadLetters
from common.message import Message
from common.topology import Topology
from tests.api_world import NOON, World
from tests.some_facts import fetched, new_item

HTML = {"Accept": "text/html"}
EVIL = '<script>alert("x")</script>'


@pytest.fixture
def letters(database) -> list[DeadLetter]:
    """Keep three letters, the last of which nobody can put back."""
    dead = Topology().dead
    messages = [
        dead("grayscaler", fetched(new_item(url="http://a.example/1"), b"1").to_message(), "it broke"),
        dead("hasher", fetched(new_item(url="http://a.example/2"), b"22").to_message(), "it broke, too"),
        dead("unknown", Message(EVIL, "", "", {"url": f"javascript:{EVIL}", "b": b"\xff"}, EVIL.encode()), EVIL),
    ]
    made = [DeadLetter.of(each.message, NOON + timedelta(seconds=n)) for n, each in enumerate(messages)]
    DeadLetters(database).keep(made)
    return made


def test_letters_are_listed_newest_first_over_several_pages(client, letters):
    first = client.get("/dead?limit=2")
    assert (first.json["count"], [entry["queue"] for entry in first.json["letters"]]) == (3, ["unknown", "hasher"])
    second = client.get(first.json["next"])
    assert [entry["id"] for entry in second.json["letters"]] == [str(letters[0].letter_id)]
    assert second.json["next"] is None
    assert f'<{first.json["next"]}>; rel="next"' in first.headers["Link"]


def test_a_letter_tells_all_but_its_body(client, letters):
    letter = client.get(f"/dead/{letters[0].letter_id}").json
    assert (letter["queue"], letter["reason"], letter["size_bytes"], letter["obstacle"]) == (
        "grayscaler",
        "it broke",
        1,
        None,
    )
    assert (letter["item"], letter["task"]) == (str(letters[0].item_id), str(letters[0].task_id))
    assert letter["headers"]["url"] == "http://a.example/1"
    assert letter["links"]["task"] == f"/url_tasks/{letters[0].task_id}"
    odd = client.get(f"/dead/{letters[2].letter_id}").json
    assert odd["headers"]["b"] == "ff"
    assert "task" not in odd["links"]


def test_a_replay_puts_a_message_back_and_only_then_takes_the_letter_away(client, letters, publisher, database):
    publisher.broken = True
    assert client.post(f"/dead/{letters[0].letter_id}/replay").status_code == 503
    assert DeadLetters(database).count() == 3
    publisher.broken = False
    done = client.post(f"/dead/{letters[0].letter_id}/replay")
    assert done.json == {"replayed": 1, "refused": 0, "left": 0, "ended": 0, "tasks": []}
    [publication] = publisher.publications
    assert (publication.exchange, publication.routing_key, publisher.flushes) == ("", "grayscaler", 1)
    assert publication.message.body == b"1"
    assert client.post(f"/dead/{letters[0].letter_id}/replay").status_code == 404


def test_all_that_can_be_are_put_back_at_once(client, letters, publisher):
    assert client.post("/dead/replay").json == {"replayed": 2, "refused": 1, "left": 0, "ended": 0, "tasks": []}
    assert [publication.routing_key for publication in publisher.publications] == ["grayscaler", "hasher"]
    assert [entry["obstacle"] is None for entry in client.get("/dead").json["letters"]] == [False]


def test_a_replay_tells_of_items_that_have_ended(client, world: World, database):
    task_id = world.settled_task({"error": 1})
    item = database["items"].find_one({"task_id": task_id})
    headers = {"task_id": str(task_id), "item_id": str(item["_id"])}
    dead = Topology().dead("fetcher", Message("url.submitted", "", "", headers, b"{}"), "why")
    DeadLetters(database).keep([DeadLetter.of(dead.message, NOON)])
    done = client.post("/dead/replay").json
    assert (done["ended"], done["tasks"]) == (1, [str(task_id)])


def test_what_cannot_be_put_back_is_refused_with_the_reason(client, letters):
    refusal = client.post(f"/dead/{letters[2].letter_id}/replay")
    assert refusal.status_code == 422
    assert "which queue it came from" in refusal.json["detail"]


def test_purging_throws_all_out(client, letters):
    assert client.delete("/dead").json == {"purged": 3}
    assert client.get("/dead").json == {"count": 0, "letters": [], "next": None}


def test_a_form_leads_back_to_the_list(client, letters):
    done = client.post(f"/dead/{letters[0].letter_id}/replay", headers=HTML)
    assert (done.status_code, done.headers["Location"]) == (303, "/dead")


@pytest.mark.parametrize("address", ["/dead", "/dead/{odd}"])
def test_a_strangers_text_is_only_text_on_the_pages(client, letters, address):
    page = client.get(address.format(odd=letters[2].letter_id), headers=HTML)
    assert page.status_code == 200
    assert EVIL not in page.text
    assert 'href="javascript:' not in page.text


@pytest.mark.parametrize("address", ["/dead/no-id", f"/dead/{UUID(int=7)}"])
def test_a_letter_that_is_not_there_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_without_a_key_nothing_is_put_back_or_thrown_out(client, letters):
    stranger = client.application.test_client()
    requests = [("POST", "/dead/replay"), ("POST", f"/dead/{letters[0].letter_id}/replay"), ("DELETE", "/dead")]
    assert [stranger.open(path, method=method).status_code for method, path in requests] == [401] * 3


def test_the_home_page_and_readiness_tell_of_letters(client, letters):
    home = client.get("/", headers=HTML).text
    assert "3 messages were set aside" in home
    assert 'href="/dead"' in home
    assert client.get("/ready").json["warnings"] == ["3 dead letters: see /dead, or `fetcher dead list`."]
