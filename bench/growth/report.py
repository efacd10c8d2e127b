"""What a part has measured: a table, and the findings that are held against what is promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.noise import NOISY

Cell = str | int | float | None
NOTHING = "–"


@dataclass(frozen=True)
class Finding:
    """A figure and its bound."""

    what: str
    reached: float
    bound: float
    at_most: bool = True

    @property
    def is_met(self) -> bool:
        """Compare."""
        return self.reached <= self.bound if self.at_most else self.reached >= self.bound


@dataclass(frozen=True)
class Report:
    """One part's table, its first column saying what a row is, and its findings."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    findings: Sequence[Finding]

    def document(self) -> dict[str, Any]:
        """Give it for a file."""
        return {
            "title": self.title,
            "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            "findings": [
                {
                    "what": finding.what,
                    "reached": finding.reached,
                    "at_most" if finding.at_most else "at_least": finding.bound,
                    "met": finding.is_met,
                }
                for finding in self.findings
            ],
        }


def growth(values: Sequence[float]) -> float:
    """Give how many times what it was before the last third's median is, of samples over time: 1 is flat.

    Before is the greater of the medians of the first two thirds: what was given back and is taken again is no growth.
    """
    third = len(values) // 3
    if third == 0:
        raise ValueError("fewer than three samples")
    first, second, last = (median(values[start : start + third]) for start in (0, third, len(values) - third))
    return last / max(first, second)


def show(console: Console, report: Report, noise: float) -> None:
    """Print a part's table and findings."""
    table = Table(title=report.title, title_justify="left")
    for number, column in enumerate(report.columns):
        table.add_column(column, justify="right" if number else "left")
    for row in report.rows:
        table.add_row(*map(_text, row))
    console.print(table)
    for finding in report.findings:
        verdict = "[green]met[/]" if finding.is_met else "[bold red]missed[/]"
        console.print(f"{verdict}  {finding.what}: {_text(finding.reached)}, {_bound(finding)}", highlight=False)
    if noise > NOISY:
        console.print(f"[bold red]noisy: something else took {noise:.0%} of the cores")


def _bound(finding: Finding) -> str:
    return f"at {'most' if finding.at_most else 'least'} {finding.bound:g}"


def _text(value: Cell) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else value


def by_process(costs: Mapping[str, Mapping[str, float]]) -> tuple[list[str], list[list[Cell]]]:
    """Lay costs by situation and process out as columns and rows, with their sums."""
    names = dict.fromkeys(name for each in costs.values() for name in each)
    rows: list[list[Cell]] = [[name, *(each.get(name) for each in costs.values())] for name in names]
    return ["", *costs], [*rows, ["all of these", *(sum(each.values()) for each in costs.values())]]
