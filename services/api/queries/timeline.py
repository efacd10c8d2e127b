"""The histogram's figures: how many items ended how in each minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.database import LEDGER_KEY, Database, unavailability
from common.items import Outcome

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole minutes from `start` up to, but without, `end`; both in UTC."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> int:
        """Count the minutes."""
        return (self.end - self.start) // MINUTE


@dataclass(frozen=True, slots=True)
class Counts:
    """Items that ended."""

    success: int = 0
    duplicate: int = 0
    error: int = 0

    @property
    def total(self) -> int:
        """Count them all."""
        return self.success + self.duplicate + self.error


@dataclass(frozen=True, slots=True)
class Minute:
    """The items that ended in the minute that starts then."""

    start: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every minute of the span, the empty ones too, and their sum."""

    span: Span
    minutes: tuple[Minute, ...]
    totals: Counts


def timeline(database: Database, span: Span, task_id: UUID | None = None) -> Timeline:
    """Count the items that ended within the span, of one task or of all, by minute and outcome."""
    match: dict[str, Any] = {"finished_at": {"$gte": span.start, "$lt": span.end}}
    # Either index holds all that is asked for; no item is read.
    hint = {"finished_at": 1, "outcome": 1}
    if task_id is not None:
        match["task_id"] = task_id
        hint = dict.fromkeys(LEDGER_KEY, 1)
    minute = {"$dateTrunc": {"date": "$finished_at", "unit": "minute", "timezone": "UTC"}}
    group = {"_id": {"minute": minute, "outcome": "$outcome"}, "count": {"$sum": 1}}
    with unavailability():
        rows = list(database["items"].aggregate([{"$match": match}, {"$group": group}], hint=hint))
    counted = {(row["_id"]["minute"], Outcome(row["_id"]["outcome"])): int(row["count"]) for row in rows}

    def counts(start: datetime) -> Counts:
        ended = (Outcome.SUCCESS, Outcome.DUPLICATE, Outcome.ERROR)
        return Counts(*(counted.get((start, outcome), 0) for outcome in ended))

    starts = (span.start + index * MINUTE for index in range(span.minutes))
    minutes = tuple(Minute(start, counts(start)) for start in starts)
    return Timeline(
        span,
        minutes,
        Counts(
            sum(minute.counts.success for minute in minutes),
            sum(minute.counts.duplicate for minute in minutes),
            sum(minute.counts.error for minute in minutes),
        ),
    )
