"""Handing web pages over: one current task a page and kind, whatever is interrupted and whoever asks at once."""

from collections.abc import Callable

import pytest

from common.database import Database
from common.errors import Unavailable
from common.facts import PageSubmitted
from common.items import item_id
from common.ledger import Ledger
from common.page_tasks import Kind, PageTasks
from common.reasons import Reason
from tests.api_world import NotingPublisher
from tests.crashing_database import Crash, CrashingDatabase
from tests.page_world import PAGE, PageWorld


@pytest.fixture
def tasks(database: Database, publisher: NotingPublisher) -> PageTasks:
    return PageTasks(database, publisher)


def published(publisher: NotingPublisher) -> list[PageSubmitted]:
    return [PageSubmitted.from_message(publication.message) for publication in publisher.publications]


def crashes_of(attempt: Callable[[CrashingDatabase], object], database: Database) -> int:
    """Count what an attempt asks of the database."""
    counting = CrashingDatabase(database)
    attempt(counting)
    return len(counting.operations)


def test_a_submission_that_dies_anywhere_is_completed_by_the_next(
    database: Database, publisher: NotingPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.ledger.create_indexes", lambda _database: None)

    def submit(crashing: CrashingDatabase) -> object:
        return PageTasks(crashing, publisher).submit(Kind.IMAGES, PAGE)

    count = crashes_of(submit, database)
    for crash_at in range(1, count + 1):
        for name in ("tasks", "items"):
            database[name].delete_many({})
        publisher.publications.clear()
        with pytest.raises(Crash):
            submit(CrashingDatabase(database, crash_at))
        handed = PageTasks(database, publisher).submit(Kind.IMAGES, PAGE)
        assert {fact.item.item_id for fact in published(publisher)} == {item_id(handed.task_id, 0)}
        assert database["tasks"].count_documents({}) == database["items"].count_documents({}) == 1
        task = database["tasks"].find_one()
        assert task is not None
        assert (task["total"], task["is_published"], task["is_current"]) == (1, True, True)


def test_a_retry_that_dies_anywhere_is_completed_by_the_next(
    database: Database, publisher: NotingPublisher, pages: PageWorld
) -> None:
    def failed_task() -> object:
        return pages.fail(pages.task())

    def retry(crashing: CrashingDatabase) -> object:
        return PageTasks(crashing, publisher).retry(task_id)

    task_id = failed_task()
    for crash_at in range(1, crashes_of(retry, database) + 1):
        publisher.publications.clear()
        task_id = failed_task()
        with pytest.raises(Crash):
            retry(CrashingDatabase(database, crash_at))
        PageTasks(database, publisher).retry(task_id)
        assert {fact.item.round for fact in published(publisher)} == {1}
        page = database["items"].find_one({"_id": item_id(task_id, 0)})
        assert page is not None
        assert (page["outcome"], page["round"]) == ("pending", 1)


def test_a_late_starter_does_not_undo_what_the_scraper_wrote(
    database: Database, tasks: PageTasks, pages: PageWorld
) -> None:
    task_id = pages.read(pages.task(), ["https://a.example/1"])
    database["tasks"].update_one({"_id": task_id}, {"$unset": {"is_published": ""}})
    tasks.publish(task_id)
    assert Ledger(database).task(task_id)["total"] == 2


def test_only_the_reasons_that_are_meant_are_tried_again_and_never_what_was_cancelled(
    database: Database, tasks: PageTasks, pages: PageWorld
) -> None:
    task_id = pages.read(pages.task(), [f"https://a.example/{n}" for n in range(3)])
    for line, reason in enumerate(("dns", "timeout", "cancelled"), 1):
        pages.world.end(task_id, line, "error", reason=reason)
    assert tasks.retry(task_id, [Reason.TIMEOUT]) == 1
    assert tasks.retry(task_id) == 1
    outcomes = [item["outcome"] for item in database["items"].find({"line": {"$gt": 0}}).sort("line")]
    assert outcomes == ["pending", "pending", "error"]


def test_a_retry_has_the_webhook_told_again(database: Database, tasks: PageTasks, pages: PageWorld) -> None:
    task_id = pages.fail(pages.task(webhook={"url": "https://b.example/", "told": 1, "count": 1}))
    tasks.retry(task_id)
    assert Ledger(database).task(task_id)["webhook"] == {"url": "https://b.example/", "count": 1}


def test_nothing_of_a_deleted_task_is_tried_again_or_published(
    database: Database, tasks: PageTasks, publisher: NotingPublisher, pages: PageWorld
) -> None:
    task_id = pages.fail(pages.task(deleted_at=1))
    assert tasks.retry(task_id) == 0
    tasks.publish(task_id)
    assert publisher.publications == []
    assert Ledger(database).item(item_id(task_id, 0))["outcome"] == "error"


def test_a_broker_that_is_away_is_told_and_the_task_is_not_marked_as_published(
    database: Database, tasks: PageTasks, publisher: NotingPublisher
) -> None:
    publisher.broken = True
    written = []
    with pytest.raises(Unavailable):
        tasks.submit(Kind.TEXT, PAGE, on_task=written.append)
    task = database["tasks"].find_one({"_id": written[0]})
    assert task is not None
    assert "is_published" not in task
