"""How a task stands: its items counted by outcome, reason and HTTP status."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import LEDGER_KEY, Database, unavailability
from common.items import Outcome
from common.reasons import Reason


@dataclass(frozen=True, slots=True)
class Failures:
    """So many items ended for this reason, with this HTTP status where there was one."""

    reason: Reason
    status: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of a task; `total` is always their sum. `known_by_url` of the duplicates were not downloaded."""

    success: int = 0
    duplicate: int = 0
    error: int = 0
    pending: int = 0
    known_by_url: int = 0
    failures: tuple[Failures, ...] = ()
    last_finished_at: datetime | None = None

    @property
    def total(self) -> int:
        """Count all items."""
        return self.success + self.duplicate + self.error + self.pending

    @property
    def finished(self) -> int:
        """Count the items that have an outcome."""
        return self.total - self.pending


def tally(database: Database, task_id: UUID) -> Tally:
    """Count a task's items. All of it comes out of one index; no item is read."""
    group = {
        "_id": {name: f"${name}" for name in ("outcome", "reason", "status", "known_by")},
        "count": {"$sum": 1},
        "last": {"$max": "$finished_at"},
    }
    counts = dict.fromkeys(Outcome, 0)
    known_by_url = 0
    failures: list[Failures] = []
    last: datetime | None = None
    with unavailability():
        hint = [(name, 1) for name in LEDGER_KEY]
        rows = list(database["items"].aggregate([{"$match": {"task_id": task_id}}, {"$group": group}], hint=dict(hint)))
    for row in rows:
        key, count = row["_id"], row["count"]
        outcome = Outcome(key["outcome"])
        counts[outcome] += count
        if key.get("known_by") == "url":
            known_by_url += count
        if outcome is Outcome.ERROR:
            failures.append(Failures(Reason(key["reason"]), key.get("status"), count))
        if row["last"] is not None and (last is None or row["last"] > last):
            last = row["last"]
    failures.sort(key=lambda failure: (-failure.count, failure.reason, failure.status or 0))
    return Tally(
        success=counts[Outcome.SUCCESS],
        duplicate=counts[Outcome.DUPLICATE],
        error=counts[Outcome.ERROR],
        pending=counts[Outcome.PENDING],
        known_by_url=known_by_url,
        failures=tuple(failures),
        last_finished_at=last,
    )


def is_pending(database: Database, task_id: UUID) -> bool:
    """Tell whether any item of a task is without an outcome; costs the same however many there are."""
    with unavailability():
        return (
            database["items"].find_one({"task_id": task_id, "outcome": Outcome.PENDING.value}, {"_id": 1}) is not None
        )
