"""What was measured, as tables: a column for each tool, and whether the targets are met."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.corpus import CORPORA, Corpus
from bench.measure import COMMAND
from bench.noise import NOISY
from bench.series import Measured, Results, Series, ratio
from bench.targets import TARGETS
from bench.tools import LIMIT, OURS

PROCESSES = (COMMAND, "fetcher", "hasher", "grayscaler", "aggregator", "worker", "rabbitmq", "mongod")
NOTHING = "–"
LEFT: Any = {"title_justify": "left", "caption_justify": "left"}


def _number(value: float | None, digits: int = 0, after: str = "") -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}{after}"


def _times(ours: Series, series: Series, one: float | None, other: float | None) -> str:
    return NOTHING if series is ours else _number(ratio(one, other), 2, " x")


def rates(corpus: Corpus, measured: Measured, failures: Mapping[str, str]) -> Table:
    """Give the table of one corpus. `failures` tells, by tool, why it is not in it."""
    runs = max((len(series.runs) for series in measured.values()), default=0)
    table = Table(title=f"{corpus}; medians of {runs} runs in turn", min_width=60, **LEFT)
    table.add_column("")
    for name in (*measured, *failures):
        table.add_column(name, justify="right")
    ours = measured.get(OURS)
    limit = measured.get(LIMIT)

    def row(what: str, value: Callable[[Series], str], *, last: bool = False) -> None:
        cells = [value(series) for series in measured.values()]
        if any(cell != NOTHING for cell in cells):
            table.add_row(what, *cells, *(NOTHING for _ in failures), end_section=last)

    row("images", lambda series: _number(series.runs[0].images), last=True)
    row("images per second, whole command", lambda series: _number(series.rate))
    row("  least", lambda series: _number(min(series.rates)))
    row("  most", lambda series: _number(max(series.rates)))
    row("seconds of the start", lambda series: _number(series.start_seconds, 1))
    row("images per second, start taken off", lambda series: _number(series.steady_rate), last=True)
    if ours:
        row("Graymill is faster, whole command", lambda series: _times(ours, series, ours.rate, series.rate))
        row(
            "Graymill is faster, start taken off",
            lambda series: _times(ours, series, ours.steady_rate, series.steady_rate),
            last=True,
        )
    if limit:
        row("of the limit, whole command", lambda series: _number(series.rate / limit.rate, 2))
        row(
            "of the limit, start taken off",
            lambda series: _number(ratio(series.steady_rate, limit.steady_rate), 2),
            last=True,
        )
    for name in PROCESSES:
        row(f"CPU ms per image: {name}", lambda series, name=name: _number(series.cpu_milliseconds.get(name), 2))  # type: ignore[misc]
    row("CPU ms per image: all of these", lambda series: _number(series.total_cpu_milliseconds, 2), last=True)
    row("peak MB, servers left out", lambda series: _number(series.peak_without_servers_megabytes))
    row("peak MB, with its servers", lambda series: _number(series.peak_megabytes), last=True)
    row("noisy runs", lambda series: f"{series.noisy} of {len(series.runs) + len(series.starts)}")
    table.caption = "\n".join(f"{name}: not measured: {why}" for name, why in failures.items()) or None
    return table


def targets(measured: Mapping[str, Measured]) -> Table:
    """Give the table of what was aimed at and what was reached, by corpus."""
    table = Table(title="Targets on two cores", **LEFT)
    table.add_column("Graymill")
    for corpus in measured:
        table.add_column(f"{corpus}: target", justify="right")
        table.add_column("reached", justify="right")
        table.add_column("")
        table.add_column("at best", justify="right")
    for target in TARGETS:
        cells: list[str] = []
        for corpus, series in measured.items():
            figure = target.figure(series)
            met = NOTHING if figure is None else "met" if target.is_met(corpus, figure) else "[bold red]missed[/]"
            bound = f"{'≤' if target.at_most else '≥'} {target.bounds[corpus]:g}"
            cells += [bound, _number(figure, 0 if target.at_most else 2), met, _number(target.best(series), 2)]
        table.add_row(target.what, *cells)
    table.caption = (
        "at best: if our processes cost no more than the limit's, and RabbitMQ and mongod what they cost now"
    )
    return table


def warning(results: Results) -> str | None:
    """Say so when the machine had other things to do."""
    noisy = sum(series.noisy for series in results.series)
    runs = sum(len(series.runs) + len(series.starts) for series in results.series)
    if not noisy:
        return None
    return (
        f"The machine was noisy: in {noisy} of {runs} runs something else took more than {NOISY:.0%} of the cores. "
        "Do not compare these figures with others; run it again when the machine is quiet."
    )


def show(console: Console, results: Results) -> None:
    """Print all of it."""
    for corpus, measured in results.measured.items():
        console.print(rates(CORPORA[corpus], measured, results.failures[corpus]))
    console.print(targets(results.measured))
    if text := warning(results):
        console.print(f"[bold red]{text}")
