"""The histogram's figures: how many items ended how in each bar of a span."""

from dataclasses import dataclass
from datetime import datetime

from common.database import Database
from common.items import Outcome
from services.api.queries.hours import Hour, hours
from services.api.queries.scope import Scope
from services.api.queries.span import MINUTE, Span

SUCCESS, DUPLICATE, ERROR = Outcome.SUCCESS.value, Outcome.DUPLICATE.value, Outcome.ERROR.value
Series = dict[str, list[int]]
"""For each name, one count a bar."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every bar of the span, the empty ones too.

    An item counts once, where its outcome was written; a retry takes it away from there, and it counts again where it
    ends then. So the bars are, at every moment, the ledger cut by time.
    """

    span: Span
    outcomes: Series
    """Of success, duplicate and error, always all three."""
    reasons: Series
    """Of the reasons of which there was any, the most frequent first; their sum is error."""

    @property
    def totals(self) -> dict[str, int]:
        """Sum each outcome up."""
        return {outcome: sum(counts) for outcome, counts in self.outcomes.items()}

    @property
    def total(self) -> int:
        """Count all items."""
        return sum(self.totals.values())

    @property
    def bar_totals(self) -> list[int]:
        """Count all items of each bar."""
        return [sum(counts) for counts in zip(*self.outcomes.values(), strict=True)]


def timeline(database: Database, span: Span, scope: Scope, now: datetime) -> Timeline:
    """Count the items of a scope that ended within the span."""
    series: Series = {SUCCESS: [0] * span.bars, DUPLICATE: [0] * span.bars}
    for hour in hours(database, scope, span.start, span.end, now):
        _put(hour, span, series)
    outcomes = {outcome: series.pop(outcome) for outcome in (SUCCESS, DUPLICATE)}
    reasons = dict(sorted(series.items(), key=lambda entry: (-sum(entry[1]), entry[0])))
    outcomes[ERROR] = [sum(counts) for counts in zip(*reasons.values(), strict=True)] or [0] * span.bars
    return Timeline(span, outcomes, {name: counts for name, counts in reasons.items() if any(counts)})


def _put(hour: Hour, span: Span, series: Series) -> None:
    """Add an hour's minutes to the bars they belong to."""
    before = (hour.start - span.start) // MINUTE
    first, last = max(0, -before), min(60, (span.end - hour.start) // MINUTE)
    width = span.bar_minutes
    for end, counts in hour.ends.items():
        bars = series.setdefault(end, [0] * span.bars)
        for minute in range(first, last, width):
            bars[(before + minute) // width] += sum(counts[minute : minute + width])
