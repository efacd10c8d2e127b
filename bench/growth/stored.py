"""What an image costs with few stored images, and with very many."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench.api.filling import fill
from bench.corpus import SMALL
from bench.growth.origin import Origin, origin
from bench.growth.report import Finding, Report, by_process
from bench.growth.servers import Processes, Servers, servers
from bench.measure import CommandFailed, Run, measure
from bench.noise import Patience
from bench.rig import WORKERS
from bench.series import Series
from bench.turns import Say

FEW = 1_000
IMAGES = 2_000
RUNS = 3
WARM_UP = 200
FLAT = 1.1
FETCHER = str(Path(sys.executable).parent / "fetcher")


def run(say: Say, *, most: int) -> Report:
    """Put photographs through with so many images, and as many items, stored; the fewest first."""
    sizes = (FEW, most)
    measured: dict[str, Series] = {}
    with origin() as photographs, servers() as ours, ours.services(**WORKERS) as services:
        for size in sizes:
            ours.empty()
            with ours.database() as database:
                fill(database, size, size, datetime.now(UTC))
                database.client.admin.command("fsync")  # what is left of the filling is not the images' cost
            Patience(all_seconds=30).wait_for_quiet()
            say(f"stored: filled with {size:,}")
            publish(ours, services, photographs, WARM_UP)
            runs = [publish(ours, services, photographs, IMAGES) for _ in range(RUNS)]
            measured[f"{size:,} stored"] = Series(runs)
            say(
                f"stored: {size:,}: {Series(runs).rate:,.0f} images/s, {Series(runs).total_cpu_milliseconds:.2f} CPU ms"
            )
    return _report(measured)


def publish(ours: Servers, services: Processes, photographs: Origin, count: int) -> Run:
    """Put so many new photographs through. Raises CommandFailed when one was not stored."""
    urls = ours.folder / "urls.txt"
    urls.write_text("".join(f"{url}\n" for url in photographs.urls(SMALL.name, count)), "utf-8")
    with ours.database() as database:
        before = database["images"].estimated_document_count()
        command = [FETCHER, "publish", str(urls), "--wait", "--json"]
        beside = {**services, **ours.processes}
        done = measure(command, ours.environment, beside, images=count, log=ours.folder / "publish.log")
        stored = database["images"].estimated_document_count() - before
    if stored != count:
        raise CommandFailed(f"stored {stored:,} of {count:,} images")
    return done


def _report(measured: Mapping[str, Series]) -> Report:
    columns, rows = by_process({name: series.cpu_milliseconds for name, series in measured.items()})
    few, many = (series.total_cpu_milliseconds for series in measured.values())
    return Report(
        f"CPU milliseconds per image: {IMAGES:,} photographs of {SMALL.width} x {SMALL.height}, medians of {RUNS} runs",
        columns,
        [*rows, ["images per second", *(series.rate for series in measured.values())]],
        [Finding("CPU time per image, times that with the fewest stored", many / few, FLAT)],
    )
