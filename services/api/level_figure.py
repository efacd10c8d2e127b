"""The histogram of an image's gray levels as a Plotly figure, without colours: the page's script sets the scheme's."""

import math

from services.api.figure import Figure
from services.api.statistics import Counts

LEVELS = 256
TICKS = 4


def level_bars(counts: Counts) -> Figure:
    """Give a bar for each level, from 0, which is black, to 255, which is white.

    Heights are the square roots of the counts: many an image has one level that would dwarf all others.
    """
    bars = {
        "type": "bar",
        "name": "pixels",
        "meta": "success",
        "x0": 0,
        "dx": 1,
        "y": [round(math.sqrt(count), 3) for count in counts],
        "customdata": list(counts),
        "width": 1,
        "marker": {"line": {"width": 0}, "pattern": {"shape": ""}},
        "hovertemplate": "level %{x}: %{customdata:,} pixels<extra></extra>",
    }
    marks = _marks(max(counts))
    axis = {"fixedrange": True, "ticks": "outside"}
    layout = {
        "dragmode": False,
        "showlegend": False,
        "bargap": 0,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 72, "r": 12, "t": 12, "b": 52},
        "font": {"family": "system-ui, sans-serif", "size": 13},
        "xaxis": {
            **axis,
            "title": {"text": "level of gray", "standoff": 8},
            "range": [-0.5, LEVELS - 0.5],
            "tickvals": [*range(0, LEVELS, 64), LEVELS - 1],
            "showgrid": False,
        },
        "yaxis": {
            **axis,
            "title": {"text": "pixels"},
            "range": [0, math.sqrt(max(counts))],
            "tickvals": [math.sqrt(count) for count in marks],
            "ticktext": [f"{count:,}" for count in marks],
        },
    }
    return {"data": [bars], "layout": layout}


def _marks(most: int) -> list[int]:
    """Give counts of two digits whose square roots divide the axis about evenly."""
    marks = {int(float(f"{most * (tick / TICKS) ** 2:.2g}")) for tick in range(TICKS + 1)}
    return sorted(mark for mark in marks if mark <= most)
