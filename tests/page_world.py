"""Tasks of web pages as the API, the scraper and the aggregator leave them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from common.database import Database
from common.items import item_id
from common.ledger import Ledger
from common.page_tasks import Kind
from services.api.values import EXAMPLE_IMAGES_TASK, EXAMPLE_MD5, EXAMPLE_TEXT_TASK
from tests.api_world import NOON, World

PAGE = "https://a.example/page"
READ = {
    "url": "https://a.example/elsewhere",
    "title": "A page",
    "language": "en",
    "description": "About this and that.",
    "canonical_url": "https://a.example/",
    "text": "Menu\nWörter\n",
    "main_text": "Wörter\n",
    "images_left_out": 0,
    "is_cut": False,
    "scraped_at": NOON,
}


class PageWorld:
    """Writes what the services write of a page."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.world = World(database)
        self._ledger = Ledger(database)

    def task(self, kind: Kind = Kind.IMAGES, page: str = PAGE, *, at: datetime = NOON, **more: Any) -> UUID:
        """Write a task whose page waits for the scraper."""
        task_id = self._ledger.open_task(kind=kind.value, name=None, refresh=False, page=page, is_published=True)
        self.database["tasks"].update_one({"_id": task_id}, {"$set": {"created_at": at, **more}})
        self._ledger.add_items(task_id, 0, [page])
        self._ledger.close_task(task_id, 1)
        return task_id

    def read(self, task_id: UUID, images: Sequence[str] = (), **read: Any) -> UUID:
        """Write what was read of the page; its images wait for the fetcher. Gives the task."""
        page = item_id(task_id, 0)
        self.database["pages"].insert_one({"_id": page, "task_id": task_id, **READ, **read})
        self._ledger.add_items(task_id, 1, images)
        self._ledger.close_task(task_id, 1 + len(images))
        end = {"outcome": "success", "finished_at": NOON}
        self.database["items"].update_one({"_id": page}, {"$set": end})
        return task_id

    def fail(self, task_id: UUID) -> UUID:
        """Write that the page could not be had. Gives the task."""
        self.world.end(task_id, 0, "error", status=404)
        return task_id

    def make_examples_true(self) -> None:
        """Write the tasks that the examples of the API's document name."""
        for kind, example in ((Kind.IMAGES, EXAMPLE_IMAGES_TASK), (Kind.TEXT, EXAMPLE_TEXT_TASK)):
            key = UUID(example)
            made = self.task(kind, f"https://a.example/{kind.value}")
            self.database["tasks"].insert_one({**self.database["tasks"].find_one({"_id": made}), "_id": key})
            self._ledger.add_items(key, 0, ["https://a.example/"])
            self.read(key, ["https://a.example/1", "https://a.example/2"] if kind is Kind.IMAGES else [])
        self.world.end(UUID(EXAMPLE_IMAGES_TASK), 1, "success", md5=EXAMPLE_MD5)


@pytest.fixture
def pages(database: Database) -> PageWorld:
    """Give a way to fill the database."""
    return PageWorld(database)
