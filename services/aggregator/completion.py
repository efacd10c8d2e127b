"""Tasks that have come to their end, for who wants to be told."""

from collections.abc import Iterable
from uuid import UUID

from common.database import Database, unavailability
from common.facts import TaskCompleted
from common.items import Item, item_id
from common.message import Message
from common.tally import is_pending

MOST_REMEMBERED = 10_000


class Completions:
    """Looks, after outcomes were written, whether they were their tasks' last.

    Of two aggregators that write a task's last two outcomes at once, the later one finds nothing pending. Both may,
    and after a crash it is found again: a task can be told of more than once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tasks = database["tasks"]
        self._without_webhook: set[UUID] = set()

    def among(self, items: Iterable[Item]) -> list[Message]:
        """Give a fact for each completed task of these items that has a webhook. Raises Unavailable."""
        task_ids = {item.task_id for item in items} - self._without_webhook
        if not task_ids:
            return []
        with unavailability():
            with_webhook = {"_id": {"$in": list(task_ids)}, "webhook": {"$exists": True}}
            found = {task["_id"]: task for task in self._tasks.find(with_webhook, {"page": 1, "webhook": 1})}
            self._remember(task_ids.difference(found))
            return [
                TaskCompleted(Item(task_id, item_id(task_id, 0), task["page"])).to_message()
                for task_id, task in found.items()
                if "told" not in task["webhook"] and not is_pending(self._database, task_id)
            ]

    def _remember(self, task_ids: set[UUID]) -> None:
        """A task has its webhook from the beginning or never."""
        if len(self._without_webhook) + len(task_ids) > MOST_REMEMBERED:
            self._without_webhook.clear()
        self._without_webhook |= task_ids
