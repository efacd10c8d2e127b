"""Web pages on the command line: each a task of its own for its images and its text, and one line for each."""

import json
from uuid import UUID

import pytest

from common.database import Database
from common.deletion import delete_task
from common.facts import PageSubmitted
from common.items import item_id
from common.settings import Settings
from common.topology import Topology
from deploy.local.ports import free_ports
from tests.integration.runtime import Broker
from tests.integration.test_cli import Cli, refused

PAGE = "http://a.example/page"


@pytest.fixture
def cli(environment: dict[str, str], topology: Topology) -> Cli:
    return Cli(environment)


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Broker:
    return Broker(settings, topology)


def test_a_page_is_handed_over_for_its_images_and_its_text(cli: Cli, broker: Broker, database: Database) -> None:
    done = cli("publish", "--page", "HTTP://a.example:80/page", "--page", PAGE, "--name", "mine", "--json")
    assert done.returncode == 0, done.stderr
    images, text = (json.loads(line) for line in done.stdout.splitlines())
    assert [(task["kind"], task["page"], task["status"]) for task in (images, text)] == [
        ("images", PAGE, "waiting"),
        ("text", PAGE, "waiting"),
    ]
    facts = [PageSubmitted.from_message(message) for message in broker.take("scraper", 2)]
    assert [(str(fact.item.task_id), fact.images) for fact in facts] == [(images["task"], True), (text["task"], False)]
    assert broker.ready("scraper") == 0
    assert {task["name"] for task in database["tasks"].find()} == {"mine"}


def test_the_same_page_again_is_said_to_be_there_and_refresh_makes_another_task(
    cli: Cli, broker: Broker, database: Database
) -> None:
    first = cli("publish", "--page", PAGE, "--text").stdout
    assert first.endswith(f": text of {PAGE}: waiting\n")
    again = cli("publish", "--page", PAGE, "--text").stdout
    assert again == first.replace("waiting\n", "waiting, handed over before\n")
    assert cli("publish", "--page", PAGE, "--text", "--refresh").stdout != first
    assert database["tasks"].count_documents({}) == 2
    assert len(broker.take("scraper", 2)) == 2


def test_a_page_that_failed_is_told_and_retried_and_resumed(cli: Cli, broker: Broker, database: Database) -> None:
    task = json.loads(cli("publish", "--page", PAGE, "--images", "--json").stdout)["task"]
    page = item_id(UUID(task), 0)
    failure = {"outcome": "error", "reason": "dns", "detail": "no such name", "stage": "scraper", "attempts": 4}
    database["items"].update_one({"_id": page}, {"$set": failure})
    told = json.loads(cli("retry", task, "--reason", "timeout", "--json").stdout)
    assert (told["status"], told["page_error"]["reason"]) == ("error", "dns")
    assert "error, dns: the host's name does not resolve" in cli("retry", task, "--reason", "timeout").stdout
    assert json.loads(cli("retry", task, "--reason", "dns", "--json").stdout)["status"] == "waiting"
    assert cli("publish", "--resume", task).returncode == 0
    rounds = [PageSubmitted.from_message(message).item.round for message in broker.take("scraper", 3)]
    assert rounds == [0, 1, 1]


def test_what_makes_no_sense_for_a_page_ends_with_code_2(cli: Cli, database: Database) -> None:
    for arguments, says in (
        (["--page", PAGE, "urls.txt"], "--page"),
        (["--page", PAGE, "--resume", "00000000-0000-4000-8000-000000000000"], "--page"),
        (["--images"], "--page"),
        (["urls.txt", "--text"], "--page"),
        (["--page", "ftp://a.example/"], "neither http nor https"),
        (["--page", PAGE, "--page", "http://u:p@a.example/"], "a user name or password"),
        (["--page", PAGE, "--name", "a\nb"], "--name"),
    ):
        assert says in refused(cli("publish", *arguments), 2)
    assert database["tasks"].count_documents({}) == 0


def test_a_deleted_task_and_a_file_for_a_page_are_refused(cli: Cli, broker: Broker, database: Database) -> None:
    task = json.loads(cli("publish", "--page", PAGE, "--images", "--json").stdout)["task"]
    assert "needs no FILE" in refused(cli("publish", "urls.txt", "--resume", task), 2)
    delete_task(database, UUID(task))
    assert "was deleted" in refused(cli("publish", "--resume", task), 2)
    assert "was deleted" in refused(cli("retry", task, "--reason", "all"), 2)
    assert len(broker.take("scraper", 1)) == 1


def test_a_broker_that_is_away_ends_with_code_3_and_the_task_to_resume(cli: Cli, database: Database) -> None:
    away = f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F"
    line = refused(cli("publish", "--page", PAGE, "--text", AMQP_URL=away), 3)
    [task] = database["tasks"].find()
    assert f"--resume {task['_id']}" in line
