"""The home page: what runs, whether everything is there, and what to do about what is not."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from common.database import connect
from common.errors import Unavailable
from common.queue_states import QueueState
from common.settings import Settings
from deploy.local.ports import free_ports
from services.api.app import create_app
from services.api.recent_states import KEPT_SECONDS, RecentStates
from tests.api_world import NOON, NotingPublisher

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def home(client) -> str:
    answer = client.get("/", headers=HTML)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


class Scripts(HTMLParser):
    """Notes the scripts that hold up a page's first paint."""

    def __init__(self) -> None:
        super().__init__()
        self.blocking: list[dict[str, str | None]] = []

    def handle_starttag(self, tag, attributes):
        if tag == "script" and "defer" not in dict(attributes):
            self.blocking.append(dict(attributes))


def test_what_runs_comes_before_what_is_newer_but_finished(client, world):
    running = world.settled_task({"success": 3, "pending": 1}, name="running", start=NOON - timedelta(hours=1))
    world.settled_task({"success": 2}, name="finished", start=NOON)
    page = home(client)
    assert page.index(f"/url_tasks/{running}") < page.index("finished")
    assert "75 %" in page
    assert "Running and latest tasks" in page


def test_totals_and_an_empty_house_are_told(client, world):
    assert "Nothing has been handed in yet." in home(client)
    world.settled_task({"success": 1_234})
    assert "<dd>1,234</dd>" in home(client)


def test_a_stage_without_a_worker_is_named_with_what_waits_and_how_to_start_one(client, publisher):
    assert "Yes: broker, database and all stages." in home(client)
    publisher.states = {**publisher.states, "grayscaler": QueueState(1_234, 0)}
    client.application.extensions["graymill"].recent_states._until = 0.0
    page = home(client)
    assert "No grayscaler runs, and 1,234 messages wait for one" in page
    assert "<code>python -m services.grayscaler</code>" in page


def test_messages_set_aside_are_told(client, publisher):
    states = {"dead": QueueState(1, 0), "delay.5s": QueueState(2, 0), "delay.30s": QueueState(5, 0)}
    publisher.states = {**publisher.states, **states}
    page = home(client)
    assert "1 message was set aside" in page
    assert "7 wait to be tried again" in page


def test_without_a_broker_the_page_says_that_nothing_can_be_handed_in(client, publisher):
    publisher.ready = False
    assert "The broker takes no messages." in home(client)


def test_without_a_database_a_person_sees_the_page_and_a_program_a_problem():
    nowhere = connect(f"mongodb://127.0.0.1:{free_ports(1)[0]}/graymill", application="tests")
    client = create_app(Settings.from_environ({}), nowhere, NotingPublisher()).test_client()
    try:
        page = client.get("/", headers=HTML)
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "The database does not answer" in page.text
        assert client.get("/").json["detail"].startswith("The database does not answer")
    finally:
        nowhere.client.close()


@pytest.mark.parametrize("path", ["/", "/url_tasks"])
def test_the_first_paint_waits_for_no_script(client, path):
    scripts = Scripts()
    scripts.feed(client.get(path, headers=HTML).text)
    assert scripts.blocking == []


def test_a_crowd_of_visitors_asks_the_broker_once_in_two_seconds():
    asked, moment = [], [100.0]

    class Broker(NotingPublisher):
        def queue_states(self) -> dict[str, QueueState]:
            asked.append(moment[0])
            if len(asked) == 2:
                raise Unavailable("RabbitMQ: gone")
            return self.states

    recent = RecentStates(Broker(), clock=lambda: moment[0])
    assert [recent() is None for _ in range(3)] == [False] * 3
    moment[0] += KEPT_SECONDS
    assert [recent() is None for _ in range(3)] == [True] * 3
    moment[0] += KEPT_SECONDS
    assert recent() is not None
    assert asked == [100.0, 100.0 + KEPT_SECONDS, 100.0 + 2 * KEPT_SECONDS]


def test_a_task_of_a_page_is_shown_by_its_page_and_without_counting_the_page_as_an_image(client, world):
    world.page_task("images", "https://a.example/gallery", images={"success": 2, "error": 1})
    world.page_task("text", "https://a.example/story")
    page = home(client)
    assert "https://a.example/gallery" in page
    assert 'aria-label="2 success, 0 duplicate, 1 error, 0 pending"' in page
    assert "text of a page, read" in page
