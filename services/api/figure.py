"""The charts of the monitoring page as Plotly figures, without colours: the page's script sets the scheme's own.

Their times are written without a zone, as plotly.js wants them: it draws what it is given and knows no zones.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.api.queries.depths import Depths
from services.api.queries.span import Span
from services.api.queries.timeline import ERROR, Timeline

Figure = dict[str, Any]
FEW_BARS = 180
"""Up to so many there is room for a gap between the bars, and for hatching the errors."""
MOST_SERIES = 8
"""As many as can be told apart; what is left over is drawn together."""
OTHERS = "others"
LEGEND = {"showlegend": True, "legend": {"orientation": "h", "traceorder": "normal", "x": 0, "y": 1.1}}


class By(StrEnum):
    """What the bars are stacked by."""

    OUTCOME = "outcome"
    REASON = "reason"


def stacked(timeline: Timeline, by: By) -> dict[str, Sequence[int]]:
    """Give the counts of each part of the bars, from the lowest part up."""
    if by is By.OUTCOME:
        return dict(timeline.outcomes)
    names = list(timeline.reasons)
    if len(names) <= MOST_SERIES:
        return dict(timeline.reasons)
    shown, rest = names[: MOST_SERIES - 1], names[MOST_SERIES - 1 :]
    others = [sum(counts) for counts in zip(*(timeline.reasons[name] for name in rest), strict=True)]
    return {**{name: timeline.reasons[name] for name in shown}, OTHERS: others}


def shade(by: By, name: str, index: int) -> str:
    """Name the colour of a part, as the style sheet has it."""
    return name if by is By.OUTCOME else f"series-{MOST_SERIES if name == OTHERS else index + 1}"


def histogram(timeline: Timeline, by: By, *, legend: bool = False) -> Figure:
    """Give the histogram: each bar from its start to its end, empty ones as zero."""
    span = timeline.span
    few = span.bars <= FEW_BARS
    width_ms = span.bar_minutes * 60_000
    gap_ms = width_ms // 15 if few else 0
    parts = stacked(timeline, by)
    tallest = max((sum(counts) for counts in zip(*parts.values(), strict=True)), default=0)
    bars = [
        {
            "type": "bar",
            "name": name,
            "meta": shade(by, name, index),
            "x0": _plain(span.start),
            "dx": width_ms,
            "y": list(counts),
            "width": width_ms - gap_ms,
            "offset": gap_ms // 2,
            "marker": {"line": {"width": 0}, "pattern": {"shape": "/" if few and name == ERROR else ""}},
            "hovertemplate": "%{y:,}",
        }
        for index, (name, counts) in enumerate(parts.items())
    ]
    noun = "items" if by is By.OUTCOME else "errors"
    each = "minute" if span.bar_minutes == 1 else f"{span.bar_minutes} minutes"
    layout = {**_layout(span, f"{noun} per {each}", tallest), "barmode": "stack"}
    return {"data": bars, "layout": {**layout, **(LEGEND if legend else {})}}


def queue_lines(depths: Depths, span: Span) -> tuple[Figure, Mapping[str, str]]:
    """Give the fullest queues as lines, broken where nobody looked; and the colour of each."""
    fullest = sorted(depths.queues, key=lambda queue: -max(depth or 0 for depth in queue.most))[:MOST_SERIES]
    shades = {queue.queue: f"series-{index + 1}" for index, queue in enumerate(fullest)}
    lines = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": queue.queue,
            "meta": shades[queue.queue],
            "x0": _plain(depths.start),
            "dx": depths.step_seconds * 1_000,
            "y": list(queue.most),
            "line": {"width": 2},
            "marker": {"size": 4},
            "connectgaps": False,
            "hovertemplate": "%{y:,}",
        }
        for queue in fullest
    ]
    tallest = max((depth or 0 for queue in fullest for depth in queue.most), default=0)
    return {"data": lines, "layout": _layout(span, "messages waiting", tallest)}, shades


def _layout(span: Span, title: str, tallest: int) -> dict[str, Any]:
    return {
        "hovermode": "x unified",
        "dragmode": False,
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 40, "r": 12, "t": 12, "b": 64},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {
            "type": "date",
            "range": [_plain(span.start), _plain(span.end)],
            "title": {"text": "time (UTC)", "standoff": 14},
            "hoverformat": "%Y-%m-%d %H:%M UTC",
            "fixedrange": True,
            "showgrid": False,
            "ticks": "outside",
            "tickangle": 0,
        },
        "yaxis": {
            "title": {"text": title, "standoff": 8},
            "automargin": True,
            "range": [0, max(tallest * 1.05, 1)],
            "tickformat": ",d" if tallest < 100_000 else "~s",
            "dtick": 1 if tallest <= 5 else None,
            "nticks": 6,
            "fixedrange": True,
        },
    }


def _plain(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M")
