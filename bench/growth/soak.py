"""The memory of every process over time, while new images come without an end."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from statistics import median

import psutil

from bench.corpus import LARGE, SMALL
from bench.growth.origin import Origin, origin
from bench.growth.report import Finding, Report, growth
from bench.growth.servers import Servers, servers
from bench.growth.stored import FETCHER
from bench.measure import CommandFailed
from bench.rig import WORKERS
from bench.turns import Say
from bench.usage import resident_mebibytes

TASK = 1_000
LARGE_OF_TASK = 20
MISSING_OF_TASK = 20
TASKS_KEPT = 10
"""After so many tasks, all that is stored is forgotten."""
LOOK_SECONDS = 1.0
FLAT = 1.1
END_SECONDS = 120


def run(say: Say, *, minutes: float) -> Report:
    """Hand in one task after the other, and look at the memory each second."""
    samples: dict[str, list[float]] = {}
    items = tasks = 0
    with origin() as photographs, servers(LOG_LEVEL="WARNING") as ours, ours.services(**WORKERS) as services:
        processes = {**services, **ours.processes}
        until = time.monotonic() + 60 * minutes
        while time.monotonic() < until:
            if tasks % TASKS_KEPT == 0:
                ours.empty()
            for name, mebibytes in _task(ours, photographs, processes):
                samples.setdefault(name, []).append(mebibytes)
            tasks += 1
            items += TASK
            if tasks % TASKS_KEPT == 0:
                say(f"soak: {items:,} items, {max(0.0, until - time.monotonic()):.0f} s to go")
    return _report(samples, minutes, items)


def _task(ours: Servers, photographs: Origin, processes: Mapping[str, psutil.Process]) -> Iterator[tuple[str, float]]:
    """Put a task through; gives the mebibytes of each process, its decoder's included, second by second."""
    missing = (url.replace(".jpg", "/gone.jpg") for url in photographs.urls(SMALL.name, MISSING_OF_TASK))
    small = photographs.urls(SMALL.name, TASK - LARGE_OF_TASK - MISSING_OF_TASK)
    lines = chain(small, photographs.urls(LARGE.name, LARGE_OF_TASK), missing)
    urls = ours.folder / "urls.txt"
    urls.write_text("".join(f"{url}\n" for url in lines), "utf-8")
    with (ours.folder / "publish.json").open("w+b") as output:
        command = subprocess.Popen(  # noqa: S603 - ours
            [FETCHER, "publish", str(urls), "--wait", "--json"], env=ours.environment, stdout=output
        )
        give_up_at = time.monotonic() + END_SECONDS
        while command.poll() is None:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() > give_up_at:
                command.kill()
                command.wait()
                raise CommandFailed(f"a task of {TASK:,} items was not done after {END_SECONDS} s")
            for name, process in processes.items():
                yield name, resident_mebibytes(process)
        output.seek(0)
        ledger = json.load(output)
    if (ledger["success"], ledger["error"]) != (TASK - MISSING_OF_TASK, MISSING_OF_TASK):
        raise CommandFailed(f"a task ended otherwise than it should: {ledger}")


def _report(samples: Mapping[str, Sequence[float]], minutes: float, items: int) -> Report:
    third = min(map(len, samples.values())) // 3
    return Report(
        f"resident MB over {minutes:g} minutes and {items:,} items: medians of each third",
        ["", "first", "second", "last", "peak"],
        [
            [name, median(values[:third]), median(values[third : 2 * third]), median(values[2 * third :]), max(values)]
            for name, values in samples.items()
        ],
        [
            Finding(f"memory of {name}, last third, times what it was before", growth(values), FLAT)
            for name, values in samples.items()
        ],
    )
