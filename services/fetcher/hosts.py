"""The command line: `fetcher hosts`, which hosts are left alone for a while."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from common.database import connect
from common.fetching.paused_hosts import PausedHost, PausedHosts
from common.instants import write_instant
from services.fetcher.errors import BadInput
from services.fetcher.one_line import one_line

MOST_SHOWN = 10_000


@click.group()
def hosts() -> None:
    """See which hosts are left alone because they asked for it or keep failing, and end a pause."""


@hosts.command("list")
@click.option("--limit", type=click.IntRange(1, MOST_SHOWN), default=50, show_default=True, help="Most hosts.")
@click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output.")
def list_hosts(limit: int, *, as_machine: bool) -> None:
    """List hosts that are paused or failing, those that are paused the longest first."""
    with _kept() as (kept, now):
        found, paused = kept.latest(now, limit), kept.count(now)
    if as_machine:
        click.echo(json.dumps({"paused": paused, "hosts": [_as_json(host, now) for host in found]}))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("host", "state", "until", "why"):
        table.add_column(heading)
    for host in found:
        table.add_row(host.host, host.state(now).value, write_instant(host.until), host.why)
    if found:
        Console(highlight=False, markup=False).print(table)
    click.echo(f"{paused:,} {'host is' if paused == 1 else 'hosts are'} left alone")


@hosts.command()
@click.argument("host")
def resume(host: str) -> None:
    """End the pause of HOST; all fetchers ask it again within a second.

    Items that wait for it come back when they were to; `fetcher publish --resume` brings those of a task at once.
    """
    with _kept() as (kept, now):
        if not kept.resume(host.lower(), now):
            raise BadInput(f"{host!r:.80} is not left alone")
    click.echo(f"{host.lower()} is asked again")


def _as_json(host: PausedHost, now: datetime) -> dict[str, Any]:
    return {
        "host": host.host,
        "state": host.state(now).value,
        "until": write_instant(host.until),
        "asked": host.asked,
        "reason": host.reason.value,
        "status": host.status,
        "pauses": host.times,
        "why": host.why,
    }


@contextmanager
def _kept() -> Iterator[tuple[PausedHosts, datetime]]:
    with one_line() as settings:
        yield PausedHosts(connect(settings.mongo_url, application="fetcher-hosts")), datetime.now(UTC)
