"""The command line: `fetcher lost`, items whose messages are gone."""

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import click

from common.database import Database, connect
from common.instants import write_instant
from common.items import Item, line_of
from common.ledger import Ledger
from common.standstill import Standstill, is_watched, standstill
from services.fetcher.errors import BadInput
from services.fetcher.one_line import one_line

MOST_NAMED = 100_000


@click.command()
@click.argument("task", type=click.UUID, required=False)
@click.option(
    "--limit", type=click.IntRange(1, MOST_NAMED), default=50, show_default=True, help="Most items named of TASK."
)
@click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output.")
def lost(task: UUID | None, *, limit: int, as_machine: bool) -> None:
    """Name the tasks whose items wait for nothing, or with TASK its items.

    An item is lost when it has no outcome, no message is anywhere and no worker holds one, and nothing has moved for
    STALLED_SECONDS: as after a queue was purged. `fetcher publish --resume` brings it home. The API keeps the watch.
    """
    with one_line() as settings:
        database = connect(settings.mongo_url, application="fetcher-lost")
        now = datetime.now(UTC)
        still, watched = standstill(database, now), is_watched(database, now)
        pending = [] if task is None else _pending(database, task, limit)
    standing = still is not None and (task is None or bool(pending))
    if as_machine:
        click.echo(json.dumps(_as_json(still if standing else None, pending, watched=watched)))
        return
    for item in pending:
        click.echo(f"{line_of(item.item_id)}\t{item.item_id}\t{item.url}")
    click.echo(_verdict(still if standing else None, task, len(pending), watched=watched), err=bool(pending))


def _pending(database: Database, task: UUID, limit: int) -> list[Item]:
    ledger = Ledger(database)
    if ledger.task(task) is None:
        raise BadInput(f"there is no task {task}")
    return list(islice((item for batch in ledger.pending(task) for item in batch), limit))


def _as_json(still: Standstill | None, pending: list[Item], *, watched: bool) -> dict[str, Any]:
    return {
        "watched": watched,
        "lost": still is not None,
        "since": still and write_instant(still.since),
        "tasks": [str(task_id) for task_id in still.task_ids] if still else [],
        "items": [{"id": str(item.item_id), "line": line_of(item.item_id), "url": item.url} for item in pending],
    }


def _verdict(still: Standstill | None, task: UUID | None, pending: int, *, watched: bool) -> str:
    if still is not None:
        tasks = (task,) if task is not None else still.task_ids
        what = "these are lost" if task is not None else f"{len(tasks):,} tasks have lost items"
        commands = "\n".join(f"fetcher publish --resume {each}" for each in tasks)
        return f"nothing has moved since {write_instant(still.since)}: {what}; to bring them home:\n{commands}"
    if not watched:
        return "nobody watches: the API does not run, or has no broker, so that nothing is known to be lost"
    return f"{pending:,} have no outcome yet; none is known to be lost" if pending else "nothing is lost"
