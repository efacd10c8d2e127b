"""The histogram as a Plotly figure: a bar for every minute, stacked by how items ended."""

import json
from datetime import datetime
from typing import Any

import plotly.graph_objects as go

from services.api.queries.timeline import Timeline

COLOURS = {"success": "#2f7ed8", "duplicate": "#8fc9f0", "error": "#d1590a"}
"""Told apart by those who see no red or green, too; the page's script sets the colour scheme's own shades."""
FEW_MINUTES = 180
"""Up to so many minutes there is room for a gap between the bars, and for hatching the errors."""


def histogram(timeline: Timeline) -> dict[str, Any]:
    """Give the figure in its JSON form: each minute from its start to its end, empty ones as zero, in UTC."""
    few = timeline.span.minutes <= FEW_MINUTES
    gap = 4_000 if few else 0
    starts = [_plain(minute.start) for minute in timeline.minutes]
    tallest = max(minute.counts.total for minute in timeline.minutes)
    bars = [
        go.Bar(
            name=outcome,
            x=starts,
            y=[getattr(minute.counts, outcome) for minute in timeline.minutes],
            width=60_000 - gap,
            offset=gap // 2,
            marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": "/" if few and name_is_error else ""}},
            hovertemplate="%{y:,}",
        )
        for outcome, colour in COLOURS.items()
        for name_is_error in [outcome == "error"]
    ]
    figure = go.Figure(bars)
    figure.update_layout(
        template="none",
        barmode="stack",
        hovermode="x unified",
        dragmode=False,
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 12, "t": 12, "b": 64},
        font={"family": "system-ui, sans-serif", "size": 13},
        xaxis={
            "type": "date",
            "range": [_plain(timeline.span.start), _plain(timeline.span.end)],
            "title": {"text": "minute (UTC)", "standoff": 14},
            "hoverformat": "%Y-%m-%d %H:%M UTC",
            "fixedrange": True,
            "showgrid": False,
            "ticks": "outside",
        },
        yaxis={
            "title": {"text": "items per minute"},
            "range": [0, max(tallest * 1.05, 1)],
            "tickformat": ",d",
            "dtick": 1 if tallest <= 5 else None,
            "nticks": 6,
            "fixedrange": True,
        },
    )
    return dict(json.loads(figure.to_json()))


def _plain(instant: datetime) -> str:
    """Write a time without its zone, as plotly.js wants it: it draws what it is given and knows no zones."""
    return instant.strftime("%Y-%m-%d %H:%M")
