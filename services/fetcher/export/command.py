"""The command line: `fetcher export`."""

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click
from rich.console import Console

from common.database import connect
from common.instants import read_instant
from common.multi_index import DEFAULT_DISTANCE, MOST_DISTANCE
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.names import EXTENSIONS
from services.fetcher.export.plan import SHARD_SIZE, Format, Plan, Variant
from services.fetcher.export.run import export as run_export
from services.fetcher.export.selection import Query, Selection, Task, read_host
from services.fetcher.export.shown import as_json, as_text, bars_on
from services.fetcher.one_line import one_line

AGAIN = "the same command again continues it"
PIXELS = click.IntRange(min=1)


@click.command()
@click.option("--task", type=click.UUID, metavar="TASK", help="Export the images and every line of this task.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to; made if missing.")
@click.option("--format", "form", required=True, type=click.Choice([form.value for form in Format]))
@click.option(
    "--variant",
    type=click.Choice([variant.value for variant in Variant]),
    default=Variant.ORIGINAL.value,
    show_default=True,
    help="The bytes as received, the gray PNG, or both.",
)
@click.option(
    "--shard-size",
    type=click.IntRange(min=1, max=1_000_000),
    default=SHARD_SIZE,
    show_default=True,
    help="Images in a tar or parquet file.",
)
@click.option("--host", "hosts", multiple=True, help="Only images first found at this host; may be repeated.")
@click.option("--min-width", type=PIXELS)
@click.option("--max-width", type=PIXELS)
@click.option("--min-height", type=PIXELS)
@click.option("--max-height", type=PIXELS)
@click.option(
    "--format-is",
    "formats",
    multiple=True,
    type=click.Choice(list(EXTENSIONS), case_sensitive=False),
    help="Only images received in this format; may be repeated.",
)
@click.option("--since", metavar="TIME", help="Only images stored at this time or later (2024-05-31T18:30:00Z).")
@click.option("--until", metavar="TIME", help="Only images stored before this time.")
@click.option(
    "--one-per-group",
    type=click.IntRange(0, MOST_DISTANCE),
    is_flag=False,
    flag_value=str(DEFAULT_DISTANCE),
    metavar="[DISTANCE]",
    help="Leave near-duplicates out, and keep the largest: images whose perceptual hashes differ in up to DISTANCE of "
    f"their 63 bits (0 to {MOST_DISTANCE}, without a number {DEFAULT_DISTANCE}).",
)
@click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output.")
def export(
    task: UUID | None,
    *,
    out: Path,
    form: str,
    variant: str,
    shard_size: int,
    hosts: tuple[str, ...],
    min_width: int | None,
    max_width: int | None,
    min_height: int | None,
    max_height: int | None,
    formats: tuple[str, ...],
    since: str | None,
    until: str | None,
    one_per_group: int | None,
    as_machine: bool,
) -> None:
    """Write images into DIR, each once, with a manifest.

    All stored images that meet every condition are exported, or with --task those of a task; the manifest then has
    every line of it, those that failed too. What is exported is what is stored when the command is first run. After
    an interruption the same command continues.
    """
    with one_line(AGAIN) as settings:
        query = Query(
            hosts=tuple(sorted({read_host(host) for host in hosts})),
            min_width=min_width,
            max_width=max_width,
            min_height=min_height,
            max_height=max_height,
            formats=tuple(sorted(set(formats))),
            since=_instant("--since", since),
            until=_instant("--until", until),
        )
        plan = Plan.of(_selection(task, query), Format(form), Variant(variant), shard_size, one_per_group)
        database = connect(settings.mongo_url, application="fetcher-export")
        result = run_export(database, plan, out, bars_on(Console(stderr=True, highlight=False)))
        click.echo(json.dumps(as_json(result)) if as_machine else as_text(result))


def _selection(task: UUID | None, query: Query) -> Selection:
    if task is None:
        return query
    if query != Query():
        raise CannotExport("--task takes the whole of it: the other conditions are for images without a task")
    return Task(task)


def _instant(option: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else read_instant(text)
    except ValueError as error:
        raise CannotExport(f"{option}: {error}") from error
