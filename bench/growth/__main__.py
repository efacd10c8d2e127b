"""`python -m bench.growth`: whether it costs the same when there is more of everything.

Parts: an image with a million stored (stored), a task of a million items (task), a second grayscaler (grayscalers), a
host that is slow (slow-host), a stage that stands still (back-pressure), memory over time (soak).
"""

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench import record
from bench.growth import back_pressure, grayscalers, slow_host, soak, stored, task
from bench.growth.report import Report, show
from bench.machine import machine
from bench.measure import CommandFailed
from bench.noise import Moment, noise
from bench.turns import Say
from deploy.local.errors import StackError

PATH = Path(__file__).parent / "results.json"
MOST = 1_000_000
MINUTES = 5.0


def parts(most: int, minutes: float) -> Mapping[str, Callable[[Say], Report]]:
    """Give what is measured, by name."""
    return {
        "stored": lambda say: stored.run(say, most=most),
        "task": lambda say: task.run(say, most=most),
        "grayscalers": grayscalers.run,
        "slow-host": slow_host.run,
        "back-pressure": back_pressure.run,
        "soak": lambda say: soak.run(say, minutes=minutes),
    }


@click.command(help=(__doc__ or "").replace("`python -m bench.growth`: whether", "Measure whether"))
@click.argument("names", nargs=-1, metavar="[PART]...", type=click.Choice(list(parts(MOST, MINUTES))))
@click.option("--most", default=MOST, show_default=True, type=click.IntRange(10_000), help="Stored images; items.")
@click.option("--minutes", default=MINUTES, show_default=True, type=click.FloatRange(0.5), help="Of the soak.")
@click.option("--write", is_flag=True, help="Write results.json even when less was measured; other parts stay in it.")
def main(names: Sequence[str], most: int, minutes: float, *, write: bool) -> None:
    """Measure, print, and keep what is complete."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is ended then, too
    console = Console(width=None if Console().is_terminal else 120)
    chosen = parts(most, minutes)
    documents: dict[str, Any] = {}
    missed = []
    for name in names or chosen:
        before = Moment.now()
        try:
            report = chosen[name](lambda line: console.print(line, highlight=False))
        except (CommandFailed, StackError) as error:
            raise SystemExit(f"bench: {name}: {error}") from error
        after = Moment.now()
        others = noise(before, after, cores=os.cpu_count() or 1)
        show(console, report, others)
        seconds = after.seconds - before.seconds
        documents[name] = {"date": _today(), "seconds": seconds, "noise": others, **report.document()}
        missed += [f"{name}: {finding.what}" for finding in report.findings if not finding.is_met]
    is_complete = not names and most >= MOST and minutes >= MINUTES
    if write or is_complete:
        _write(documents)
        console.print(f"written: {PATH.name}", highlight=False)
    if missed:
        raise SystemExit("bench: missed: " + "; ".join(missed))


def _write(documents: Mapping[str, Any]) -> None:
    """Put parts beside those that are there."""
    earlier = json.loads(PATH.read_text("utf-8"))["parts"] if PATH.exists() else {}
    record.write({"machine": machine(), "parts": {**earlier, **documents}}, PATH)


def _today() -> str:
    return date.today().isoformat()  # noqa: DTZ011 - the day of whoever measures


if __name__ == "__main__":
    main()
