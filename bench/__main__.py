"""`python -m bench`: the whole pipeline and the tools one would pick instead, on photographs from a local server.

Each run is one command from its start to the last image stored, with nothing stored before. Tools take turns. Broker,
database, the server of the photographs and the tools share the machine's cores.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from bench import chart, record
from bench.corpus import CORPORA
from bench.measure import CommandFailed
from bench.noise import Patience
from bench.report import show
from bench.rig import WORKERS, rig
from bench.series import Results
from bench.tools import TOOLS
from bench.turns import Turns

ENOUGH_RUNS = 3


@click.command(help=(__doc__ or "").replace("`python -m bench`: the", "Measure the"))
@click.argument("names", nargs=-1, metavar="[small] [large]", type=click.Choice(list(CORPORA)))
@click.option("--only", multiple=True, type=click.Choice([tool.name for tool in TOOLS]), help="May be repeated.")
@click.option("--runs", default=ENOUGH_RUNS, show_default=True, type=click.IntRange(1), help="Of each tool.")
@click.option(
    "--write", is_flag=True, help="Write results.json and the chart even after fewer runs, or without a tool."
)
@click.option("--fetchers", default=WORKERS["fetcher"], show_default=True, help="Processes of Graymill.")
@click.option("--hashers", default=WORKERS["hasher"], show_default=True)
@click.option("--grayscalers", default=WORKERS["grayscaler"], show_default=True)
@click.option("--aggregators", default=WORKERS["aggregator"], show_default=True)
def main(names: Sequence[str], *, only: Sequence[str], runs: int, write: bool, **processes: int) -> None:
    """Measure, print, and keep what is complete."""
    workers = {name.removesuffix("s"): count for name, count in processes.items()}
    is_part = bool(names or only or workers != WORKERS)
    if write and is_part:
        raise click.UsageError("--write is for all tools, both corpora and the usual processes.")
    corpora = [CORPORA[name] for name in names or CORPORA]
    tools = [tool for tool in TOOLS if tool.name in only or not only]
    console = Console(width=None if Console().is_terminal else 120)
    try:
        with rig(corpora, workers) as ready:
            turns = Turns(ready, lambda line: console.print(line, highlight=False), Patience(all_seconds=120))
            results = turns.take(tools, corpora, runs)
    except CommandFailed as error:
        raise SystemExit(f"bench: Graymill {error}") from error
    show(console, results)
    is_complete = not is_part and runs >= ENOUGH_RUNS and not any(results.failures.values())
    if write or is_complete:
        _keep(results, workers)
        console.print(f"written: {_short(record.PATH)}, {_short(chart.PATH)}", highlight=False)


def _keep(results: Results, workers: Mapping[str, int]) -> None:
    document = record.document(results, workers)
    chart.write(record.write(document, record.PATH), chart.PATH)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    main()
