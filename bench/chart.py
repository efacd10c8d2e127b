"""The rates as horizontal bars: an SVG on a ground of its own, light or dark as its reader prefers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from bench.corpus import CORPORA, ROOT
from bench.tools import LIMIT, OURS, TOOLS

PATH = ROOT / "docs" / "images" / "benchmark.svg"
WIDTH = 840
MARGIN = 24
NAMES = 340
"""Pixels for the names, left of the bars."""
VALUES = 150
"""Pixels for the numbers, right of the longest bar."""
ROW = 30
BAR = 16
TITLES = {OURS: "Graymill", "scrapy": "Scrapy", "script": "plain script", "celery": "Celery", LIMIT: "the limit"}

STYLE = """\
svg { --ground: #ffffff; --ink: #1d2126; --quiet: #59626c; --other: #9aa4ae; --ours: #2f7ed8; --line: #d9dde1; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #15181b; --ink: #e8eaec; --quiet: #a3acb5; --other: #6b757f; --ours: #4a94ea; --line: #353b42; }
}
text { font: 14px system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--ink); }
.title { font-size: 16px; font-weight: 600; }
.quiet { font-size: 12px; fill: var(--quiet); }
.strong { font-weight: 600; }
rect.ours { fill: var(--ours); }
rect.other { fill: var(--other); }
rect.limit { fill: none; stroke: var(--other); stroke-dasharray: 4 3; }
line { stroke: var(--ink); }
"""


def draw(document: Mapping[str, Any]) -> str:
    """Give the chart of what was measured, as `record.document` has it."""
    parts: list[str] = []
    y = MARGIN + 12
    for corpus, found in document["corpora"].items():
        tools = sorted(found["tools"].items(), key=lambda tool: -float(tool[1]["images_per_second"]))
        parts.append(_text(MARGIN, y, f"Images per second: {CORPORA[corpus]}", "title"))
        y += 16
        # Up to the end of the fastest run, so that no number runs out of the picture.
        scale = (WIDTH - 2 * MARGIN - NAMES - VALUES) / max(tool["images_per_second_most"] for _, tool in tools)
        for name, tool in tools:
            parts.append(_bar(name, tool, y, scale, float(found["tools"][OURS]["images_per_second"])))
            y += ROW
        y += 34
    parts += [_text(MARGIN, y - 14 + 18 * index, line, "quiet") for index, line in enumerate(_notes(document))]
    height = y + 36 + MARGIN - 14
    label = "Images per second of Graymill and of other tools"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-label="{label}">',
            f"<title>{label}</title>",
            f"<style>\n{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" style="fill: var(--ground); stroke: var(--line)"/>',
            *parts,
            "</svg>\n",
        )
    )


def write(document: Mapping[str, Any], path: Path) -> None:
    """Write it."""
    path.write_text(draw(document), "utf-8")


def _bar(name: str, tool: Mapping[str, Any], y: float, scale: float, ours: float) -> str:
    kind = {OURS: "ours", LIMIT: "limit"}.get(name, "other")
    weight = "strong" if name == OURS else "usual"
    does = next(tool.does for tool in TOOLS if tool.name == name)
    left, middle, top = MARGIN + NAMES, y + ROW / 2, y + (ROW - BAR) / 2
    rate = float(tool["images_per_second"])
    least, most = (scale * float(tool[f"images_per_second_{end}"]) for end in ("least", "most"))
    times = "" if name == OURS else f" ({ours / rate:.2g} x)"
    title = f'<tspan class="{weight}">{escape(TITLES.get(name, name))}</tspan>'
    return "\n".join(
        (
            f'<text x="{left - 10}" y="{middle + 5}" text-anchor="end">{title}'
            f'<tspan class="quiet" dx="8">{escape(does)}</tspan></text>',
            f'<rect class="{kind}" x="{left}" y="{top}" width="{scale * rate:.1f}" height="{BAR}" rx="2"/>',
            f'<line x1="{left + least:.1f}" x2="{left + most:.1f}" y1="{middle}" y2="{middle}"/>',
            _text(left + max(most, scale * rate) + 8, middle + 5, f"{_short(rate)}{times}", weight),
        )
    )


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 20 else f"{rate:.1f}"


def _notes(document: Mapping[str, Any]) -> tuple[str, ...]:
    machine, versions = document["machine"], document["versions"]
    others = ", ".join(f"{TITLES.get(name, name)} {versions[name]}" for name in ("img2dataset", "scrapy", "celery"))
    return (
        "Whole command, start included: the median of runs in turn, and the line from the slowest to the fastest.",
        "In brackets: how many times as fast Graymill is. The limit: the same steps without a broker.",
        f"{document['date']}, {machine['cores']} cores for everything ({machine['processor']}); {others}.",
    )


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}">{escape(words)}</text>'
