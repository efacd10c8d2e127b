"""The histogram as a chart and as a table: whatever the span, both hold every item, and the table stays short."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.reasons import Reason
from services.api.figure import MOST_SERIES, By, histogram, queue_lines, stacked
from services.api.figure_table import MOST_ROWS, rows
from services.api.queries.depths import Depths, QueueDepths
from services.api.queries.span import MOST_MINUTES, Span
from services.api.queries.timeline import Timeline
from services.api.throughput import throughput

NOON = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


@some.composite
def timelines(draw: Any) -> Timeline:
    start = NOON + timedelta(minutes=draw(some.integers(0, 100)))
    span = Span.touching(start, start + timedelta(minutes=draw(some.integers(1, MOST_MINUTES))))
    bars = draw(some.lists(some.integers(0, span.bars - 1), max_size=20))

    def series() -> list[int]:
        counts = [0] * span.bars
        for bar in bars:
            counts[bar] = draw(some.integers(0, 9))
        return counts

    found = {reason.value: series() for reason in draw(some.sets(some.sampled_from(Reason)))}
    error = [sum(counts) for counts in zip(*found.values(), strict=True)] or [0] * span.bars
    return Timeline(span, {"success": series(), "duplicate": series(), "error": error}, found)


@given(timelines())
def test_the_table_holds_every_item_in_few_rows_one_after_the_other(timeline: Timeline) -> None:
    table = rows(timeline)
    assert len(table) <= MOST_ROWS
    assert sum(row.total for row in table) == timeline.total
    assert all(row.total > 0 and sum(row.reasons.values()) == row.outcomes["error"] for row in table)
    assert all(earlier.end <= later.start for earlier, later in pairwise(table))
    assert all(row.is_bar == (row.end - row.start == timeline.span.bar) for row in table[:-1])


@given(timelines(), some.sampled_from(By))
def test_the_parts_of_the_bars_add_up_to_them(timeline: Timeline, by: By) -> None:
    parts = stacked(timeline, by)
    expected = timeline.total if by is By.OUTCOME else timeline.totals["error"]
    assert sum(sum(counts) for counts in parts.values()) == expected
    assert len(parts) <= MOST_SERIES


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("minutes", [15, 60, 1_440, 43_200])
def test_the_figures_are_such_as_plotly_draws(by: By, minutes: int) -> None:
    """plotly.py refuses what is misspelt."""
    span = Span.latest(minutes, NOON)
    counts = {name: [1] * span.bars for name in ("success", "duplicate", "error")}
    timeline = Timeline(span, counts, {reason.value: [1] * span.bars for reason in Reason})
    drawn = go.Figure(histogram(timeline, by, legend=True))
    assert all(len(bars.y) == span.bars for bars in drawn.data)
    depths = Depths(span.start, 60, (QueueDepths("fetcher", (1, None, 2), 2, 1, NOON),))
    lines, shades = queue_lines(depths, span)
    assert [line.name for line in go.Figure(lines).data] == list(shades) == ["fetcher"]


def test_throughput_leaves_out_what_is_still_to_come() -> None:
    span = Span(NOON, NOON + timedelta(minutes=10))
    counts = [60, 0, 120, 30, *[0] * 6]
    timeline = Timeline(span, {"success": counts, "duplicate": [0] * 10, "error": [0] * 10}, {})
    rates = throughput(timeline, NOON + timedelta(minutes=3, seconds=30))
    assert (rates.latest, rates.busiest, rates.mean) == (2, 2, 1)
    assert throughput(timeline, NOON + timedelta(seconds=5)).latest is None
    assert throughput(timeline, NOON + timedelta(days=1)).mean == pytest.approx(0.35)
