"""`python -m bench.quick`: whether an image still costs each process as much CPU time as is written in `quick.json`.

Only Graymill runs, a few times on each corpus. CPU time depends little on what else the machine does, and least in the
cheapest of the runs. What was measured on another machine is scaled by a fixed task that is timed on both.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bench.corpus import CORPORA
from bench.machine import machine
from bench.measure import CommandFailed, Run
from bench.noise import NOISY, Patience
from bench.pace import task_milliseconds
from bench.rig import WORKERS, rig
from bench.series import Series
from bench.tools import OURS, TOOLS
from bench.turns import Turns

PATH = Path(__file__).parent / "quick.json"
RUNS = 3
GROWTH = 1.25
FLOOR_MILLISECONDS = 0.15
"""Nothing has grown by less than this: a tenth of a millisecond comes and goes."""

Costs = Mapping[str, float]
"""CPU milliseconds per image, by process."""


@dataclass(frozen=True)
class Comparison:
    """What a process costs now, and what it may: the committed figure at this machine's pace."""

    corpus: str
    process: str
    committed: float
    now: float

    @property
    def growth(self) -> float:
        """How many times the committed figure."""
        return self.now / self.committed if self.committed else float("inf")

    @property
    def has_grown(self) -> bool:
        """By a quarter, and by enough to be seen."""
        return self.growth > GROWTH and self.now - self.committed > FLOOR_MILLISECONDS


def compare(committed: Mapping[str, Costs], now: Mapping[str, Costs], *, pace: float) -> Iterator[Comparison]:
    """Give each process of each corpus. `pace`: how many times as long as then the fixed task takes now."""
    for corpus, costs in now.items():
        for process, cost in costs.items():
            yield Comparison(corpus, process, committed.get(corpus, {}).get(process, 0.0) * pace, cost)


def table(comparisons: Iterable[Comparison], pace: float) -> Table:
    """Give the comparison as it is printed."""
    shown = Table(
        title="CPU milliseconds per image",
        title_justify="left",
        caption=f"committed figures x {pace:.2f}: this machine",
    )
    for name in ("corpus", "process"):
        shown.add_column(name)
    for name in ("committed", "now", "change"):
        shown.add_column(name, justify="right")
    for one in comparisons:
        change = f"{one.growth - 1:+.0%}" if one.committed else "new"
        change = f"[bold red]{change}[/]" if one.has_grown else change
        shown.add_row(one.corpus, one.process, f"{one.committed:.2f}", f"{one.now:.2f}", change)
    return shown


@click.command(help="Compare what an image costs each process with the committed figures; exit with 1 when one grew.")
@click.option("--write", is_flag=True, help="Take what is measured now as the figures to compare with from now on.")
def main(*, write: bool) -> None:
    """Measure and compare."""
    if not write and not PATH.exists():
        raise SystemExit(f"bench: there is no {PATH.name} to compare with; make bench-quick ARGS=--write makes it")
    console = Console(width=None if Console().is_terminal else 120)
    try:
        with rig(CORPORA.values(), WORKERS) as ready:
            guard = Guard(Turns(ready, console.print, Patience(all_seconds=20)))
            guard.measure()
            if write:
                _write(guard.costs, guard.task_milliseconds)
                return
            committed = json.loads(PATH.read_text("utf-8"))
            if guard.grown(committed):
                console.print("something costs more; measuring again before it is believed")
                guard.measure()
    except CommandFailed as error:
        raise SystemExit(f"bench: Graymill {error}") from error
    console.print(table(guard.comparisons(committed), guard.pace(committed)))
    if guard.noisy:
        console.print(f"[bold]{guard.noisy} runs were noisy: something else took more than {NOISY:.0%} of the cores")
    if grown := guard.grown(committed):
        names = ", ".join(f"{one.process} ({one.corpus}, {one.growth - 1:+.0%})" for one in grown)
        raise SystemExit(f"bench: more CPU time per image than in {PATH.name}: {names}")


class Guard:
    """Runs Graymill on both corpora, again and again, and knows the cheapest run of each process."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._tool = next(tool for tool in TOOLS if tool.name == OURS)
        self._runs: dict[str, list[Run]] = {name: [] for name in CORPORA}
        self._tasks: list[float] = []

    def measure(self) -> None:
        """Run a few times more. Raises CommandFailed."""
        for name, corpus in CORPORA.items():
            if not self._runs[name]:
                self._turns.run(self._tool, corpus, corpus.count // 10)  # connections, caches
            for _ in range(RUNS):
                self._tasks.append(task_milliseconds())
                self._runs[name].append(self._turns.run(self._tool, corpus, corpus.count))

    @property
    def costs(self) -> dict[str, Costs]:
        """By corpus, what each process costs."""
        return {name: Series(runs).least_cpu_milliseconds for name, runs in self._runs.items()}

    @property
    def task_milliseconds(self) -> float:
        """What the fixed task took meanwhile."""
        return min(self._tasks)

    @property
    def noisy(self) -> int:
        """How many of the runs were disturbed."""
        return sum(Series(runs).noisy for runs in self._runs.values())

    def pace(self, committed: Mapping[str, Any]) -> float:
        """How many times as long as then the fixed task takes here."""
        return self.task_milliseconds / float(committed["task_milliseconds"])

    def comparisons(self, committed: Mapping[str, Any]) -> list[Comparison]:
        """Compare each process of each corpus."""
        return list(compare(committed["cpu_milliseconds_per_image"], self.costs, pace=self.pace(committed)))

    def grown(self, committed: Mapping[str, Any]) -> list[Comparison]:
        """Those that cost too much."""
        return [one for one in self.comparisons(committed) if one.has_grown]


def _write(now: Mapping[str, Costs], task: float) -> None:
    document: dict[str, Any] = {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day of whoever measures
        "machine": machine(),
        "task_milliseconds": round(task, 2),
        "cpu_milliseconds_per_image": {
            corpus: {process: round(cost, 3) for process, cost in costs.items()} for corpus, costs in now.items()
        },
    }
    PATH.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
