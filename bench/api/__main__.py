"""`python -m bench.api`: how long each address takes with 1,000,000 items that ended in one hour and 100,000 images.

A mongod of its own is filled, and the API started beside it as it is in service, one request after the other.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import requests
from rich.console import Console
from rich.table import Table

from bench.api.filling import HOUR, Filled, feeding, fill
from common.database import connect
from deploy.local.mongodb import MongoDB
from deploy.local.ports import free_ports
from deploy.local.server import running
from deploy.local.waiting import wait_until

ADDRESSES: tuple[Callable[[Filled], str], ...] = (
    lambda _: "/monitoring",
    lambda _: "/monitoring?minutes=15",
    lambda _: "/monitoring?minutes=1440",
    lambda _: "/monitoring?minutes=10080",
    lambda _: "/monitoring?minutes=43200",
    lambda _: "/monitoring?minutes=43200&by=reason",
    lambda filled: f"/monitoring?task={filled.task_id}",
    lambda filled: f"/monitoring?host={filled.host}",
    lambda _: "/monitoring.json",
    lambda _: "/monitoring.json?minutes=43200",
    lambda _: "/monitoring.csv?minutes=43200",
    lambda _: "/monitoring/items",
    lambda _: "/monitoring/items?outcome=error&reason=dns&minutes=43200",
    lambda filled: f"/monitoring/items?host={filled.host}",
    lambda filled: f"/stats/{filled.md5}/p99.9?format=json",
    lambda filled: f"/stats/{filled.file_name}/p99.9?format=json",
    lambda filled: f"/stats/{filled.file_name}",
    lambda _: "/images",
    lambda filled: f"/images?host={filled.host}",
    lambda filled: f"/images?task={filled.task_id}",
    lambda _: "/images?min_width=256&max_height=256",
    lambda _: "/images?format_is=GIF",  # none is: as many are looked at as ever are
    lambda filled: f"/images?format_is=GIF&host={filled.host}",
    lambda filled: f"/images/{filled.md5}",
    lambda filled: f"/image/{filled.md5}/thumbnail",
)
"""What is asked for; a further line measures a further address."""


@click.command(help=__doc__.splitlines()[0])
@click.option("--items", default=1_000_000, show_default=True)
@click.option("--images", default=100_000, show_default=True)
@click.option("--requests", "count", default=100, show_default=True, help="Of each address.")
def main(items: int, images: int, count: int) -> None:
    """Fill, measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        mongodb = MongoDB(folder=folder / "mongodb", port=free_ports(1)[0])
        with running(mongodb, folder / "mongod.log"):
            began = time.monotonic()
            database = connect(mongodb.url, application="bench")
            filled = fill(database, items, images, datetime.now(UTC))
            Console(stderr=True).print(f"filled in {time.monotonic() - began:.0f} s")
            with feeding(database, filled.further), _api(mongodb.url, folder / "api.log") as address:
                # It counts the latest hours when it starts, as it does all the time in service.
                latest = {"_id.hour": {"$gt": datetime.now(UTC) - HOUR}, "minutes": {"$gt": 0}}
                wait_until(lambda: bool(database["hours"].find_one(latest)), 120, "counts of the latest hour")
                rows = [_measure(address, path(filled), count) for path in ADDRESSES]
            database.client.close()
    _print(f"{items:,} items that ended in an hour, {images:,} images, {count} requests each", rows)


@contextmanager
def _api(mongo_url: str, log: Path) -> Iterator[str]:
    """Have the API for the length of a `with` block, without a broker; gives its address."""
    port, no_broker = free_ports(2)
    variables = {"API_PORT": str(port), "MONGO_URL": mongo_url, "AMQP_URL": f"amqp://127.0.0.1:{no_broker}"}
    variables["API_REQUESTS_PER_MINUTE"] = "0"
    address = f"http://127.0.0.1:{port}"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "services.api"]
        process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=output)  # noqa: S603 - ours
        try:
            wait_until(lambda: _answers(address), 30, f"the API; see {log}")
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def _measure(address: str, path: str, count: int) -> tuple[str, list[float], int]:
    """Give the seconds of each request, the first one apart, and the bytes of the answer."""
    seconds = []
    with requests.Session() as session:
        for _ in range(count + 1):
            began = time.perf_counter()
            response = session.get(f"{address}{path}", headers={"Accept": "text/html"}, timeout=30)
            seconds.append(time.perf_counter() - began)
            if not response.ok:
                raise SystemExit(f"bench: {path} gave {response.status_code}: {response.text[:500]}")
    return path, seconds, len(response.content)


def _print(title: str, rows: list[tuple[str, list[float], int]]) -> None:
    table = Table(title=title)
    table.add_column("address")
    for name in ("first ms", "p50 ms", "p99 ms", "most ms", "kB"):
        table.add_column(name, justify="right")
    for path, (first, *seconds), length in rows:
        p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100, method="inclusive")[98]
        figures = (f"{1000 * value:.0f}" for value in (first, p50, p99, max(seconds)))
        table.add_row(path, *figures, f"{length / 1000:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
