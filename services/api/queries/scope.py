"""Whose items are counted: all, a task's, a host's, or a task's at a host."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import FAILED, FAILED_KEY, FINISHED_KEY, Document
from common.items import item_id_range


@dataclass(frozen=True, slots=True)
class Scope:
    """None is any."""

    task_id: UUID | None = None
    host: str | None = None

    @property
    def index(self) -> list[tuple[str, int]]:
        """Name the index that holds, for these items, all that is counted, in the order of their ends."""
        prefix = ["host"] if self.host is not None else ["task_id"] if self.task_id is not None else []
        return [(name, 1) for name in (*prefix, *FINISHED_KEY)]

    @property
    def error_index(self) -> list[tuple[str, int]]:
        """Name the index that holds their errors, with each one's host, in that order."""
        prefix = [] if self.task_id is None else ["task_id"]
        return [(name, 1) for name in (*prefix, *FAILED_KEY)]

    def ended(self, start: datetime, end: datetime) -> Document:
        """Give the filter for items that ended from `start` up to, but without, `end`."""
        query: Document = {"finished_at": {"$gte": start, "$lt": end}}
        if self.host is None:
            return query if self.task_id is None else {"task_id": self.task_id, **query}
        # The host's index has no task; but an item's id tells it.
        return {"host": self.host, **query, **self.id_range}

    def failed(self, start: datetime, end: datetime) -> Document:
        """Give the filter for those of them that are errors, for the index of errors."""
        task = {} if self.task_id is None else {"task_id": self.task_id}
        host = {} if self.host is None else {"host": self.host}
        return {**FAILED, **task, "finished_at": {"$gte": start, "$lt": end}, **host}

    @property
    def id_range(self) -> Document:
        """Give the filter on the ids that the task's items can have; none when any task is meant."""
        if self.task_id is None:
            return {}
        first, last = item_id_range(self.task_id)
        return {"_id": {"$gte": first, "$lte": last}}
