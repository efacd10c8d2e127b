"""`python -m bench`: the whole pipeline on 2,000 small and 400 one-megapixel photographs from a local server.

Each run is one `fetcher publish --wait` from the start of the command to the last outcome, on a stack with an empty
database. Broker, database, origin and services share the machine's cores.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from bench.corpus import LARGE, SMALL, Corpus, build
from bench.origin import HOST, serving
from bench.stack import Stack, started
from bench.usage import MemoryWatch, all_cpu_seconds
from deploy.local.ports import free_ports

CORPORA = {corpus.name: corpus for corpus in (SMALL, LARGE)}
CACHE = Path(__file__).parent.parent / ".data" / "bench"


@dataclass(frozen=True)
class Result:
    """One run."""

    seconds: float
    cpu_seconds: dict[str, float]
    peak_mebibytes: float


@click.command(help=__doc__.splitlines()[0])
@click.argument("names", nargs=-1, type=click.Choice(list(CORPORA)))
@click.option("--runs", default=3, show_default=True)
@click.option("--fetchers", default=1, show_default=True)
@click.option("--hashers", default=1, show_default=True)
@click.option("--grayscalers", default=2, show_default=True)
@click.option("--aggregators", default=1, show_default=True)
def main(names: Sequence[str], runs: int, **workers: int) -> None:
    """Measure and print."""
    counts = {name.removesuffix("s"): count for name, count in workers.items()}
    corpora = [CORPORA[name] for name in names or CORPORA]
    files = {corpus: build(corpus, CACHE) for corpus in corpora}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        port = free_ports(1)[0]
        with serving(CACHE, folder, port), started(folder, counts, {}) as stack:
            for corpus in corpora:
                urls = folder / f"{corpus.name}.txt"
                urls.write_text("".join(f"http://{HOST}:{port}/{f.parent.name}/{f.name}\n" for f in files[corpus]))
                results = [_run(stack, corpus, urls) for _ in range(runs)]
                _print(corpus, results)


def _run(stack: Stack, corpus: Corpus, urls: Path) -> Result:
    stack.empty()
    before = all_cpu_seconds(stack.processes)
    command = [str(Path(sys.executable).parent / "fetcher"), "publish", str(urls), "--wait", "--json"]
    with MemoryWatch(stack.processes) as memory:
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - the command is ours
            command, env=dict(stack.environment), check=True, capture_output=True, text=True
        )
        seconds = time.monotonic() - began
    ledger = json.loads(done.stdout)
    if ledger["success"] != corpus.count:
        raise SystemExit(f"bench: not every image was stored: {ledger}")
    after = all_cpu_seconds(stack.processes)
    return Result(seconds, {name: after[name] - before[name] for name in after}, memory.peak_mebibytes)


def _print(corpus: Corpus, results: Sequence[Result]) -> None:
    table = Table(title=f"{corpus.count:,} photographs of {corpus.width} x {corpus.height}, {len(results)} runs")
    table.add_column("")
    table.add_column("median", justify="right")
    table.add_column("least", justify="right")
    table.add_column("most", justify="right")

    def row(name: str, values: Sequence[float], digits: int = 2) -> None:
        three = (statistics.median(values), min(values), max(values))
        table.add_row(name, *(f"{value:,.{digits}f}" for value in three))

    row("images per second", [corpus.count / result.seconds for result in results], 0)
    row("seconds, whole command", [result.seconds for result in results])
    for name in results[0].cpu_seconds:
        row(f"CPU ms per image: {name}", [1000 * result.cpu_seconds[name] / corpus.count for result in results])
    totals = [1000 * sum(result.cpu_seconds.values()) / corpus.count for result in results]
    row("CPU ms per image: all of these", totals)
    row("peak memory of all, MiB", [result.peak_mebibytes for result in results], 0)
    Console().print(table)


if __name__ == "__main__":
    main()
