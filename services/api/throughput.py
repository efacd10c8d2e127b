"""How many items ended in a second."""

from dataclasses import dataclass
from datetime import datetime

from services.api.queries.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Throughput:
    """Items per second: in the latest bar that is over (None before one is), in the busiest bar, and over the span."""

    latest: float | None
    busiest: float
    mean: float


def throughput(timeline: Timeline, now: datetime) -> Throughput:
    """Give the rates of a timeline; what of the span is still to come does not count."""
    span, totals = timeline.span, timeline.bar_totals
    bar_seconds = span.bar.total_seconds()
    over = min((now - span.start) // span.bar, span.bars)
    passed_seconds = max((min(now, span.end) - span.start).total_seconds(), 1.0)
    return Throughput(
        latest=totals[over - 1] / bar_seconds if over > 0 else None,
        busiest=max(totals) / bar_seconds,
        mean=timeline.total / passed_seconds,
    )
