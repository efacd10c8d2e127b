"""The histogram's figures as the rows of a table: one for each bar, or, where these are many, one for several."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.api.queries.timeline import Timeline

MOST_ROWS = 72
STEPS_MINUTES = (1, 2, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)


@dataclass(frozen=True, slots=True)
class Row:
    """The items that ended from `start` up to `end`; `is_bar` when the chart has one bar for just these."""

    start: datetime
    end: datetime
    is_bar: bool
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]

    @property
    def total(self) -> int:
        """Count all items."""
        return sum(self.outcomes.values())


def rows(timeline: Timeline) -> list[Row]:
    """Give the rows in which there is anything."""
    span = timeline.span
    step = next(step for step in STEPS_MINUTES if step % span.bar_minutes == 0 and span.minutes <= step * MOST_ROWS)
    bars = step // span.bar_minutes
    starts = list(span.starts())
    result = []
    for first in range(0, span.bars, bars):
        last = min(first + bars, span.bars)
        outcomes = {name: sum(counts[first:last]) for name, counts in timeline.outcomes.items()}
        if any(outcomes.values()):
            reasons = {name: sum(counts[first:last]) for name, counts in timeline.reasons.items()}
            row = Row(starts[first], starts[last - 1] + span.bar, bars == 1, outcomes, _positive(reasons))
            result.append(row)
    return result


def _positive(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
