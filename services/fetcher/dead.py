"""The command line: `fetcher dead`, what no worker could handle."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from common.broker import parameters
from common.database import Database, connect
from common.dead_letters import DeadLetter, DeadLetters
from common.instants import write_instant
from common.publisher import Publisher
from common.replaying import Replayed, obstacle, replay
from common.settings import Settings
from common.topology import Topology
from services.fetcher.errors import BadInput
from services.fetcher.one_line import one_line

MOST_SHOWN = 10_000
AS_JSON = click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output.")


@click.group()
def dead() -> None:
    """See what no worker could handle, put it back or throw it out.

    The newest 10,000 messages, and at most a gigabyte of them, are kept.
    """


@dead.command("list")
@click.option(
    "--limit", type=click.IntRange(1, MOST_SHOWN), default=50, show_default=True, help="Most letters, newest first."
)
@AS_JSON
def list_letters(limit: int, *, as_machine: bool) -> None:
    """List dead letters, the newest first."""
    with _database() as (_settings, database):
        letters = DeadLetters(database)
        found, count = letters.newest(limit), letters.count()
    if as_machine:
        click.echo(json.dumps({"count": count, "letters": [as_json(letter) for letter in found]}))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "died", "queue", "bytes", "why"):
        table.add_column(heading, justify="right" if heading == "bytes" else "left", no_wrap=heading == "id")
    for letter in found:
        texts = (str(letter.letter_id), write_instant(letter.at), letter.queue, f"{letter.size_bytes:,}", letter.reason)
        table.add_row(*map(_printable, texts))
    if found:
        Console(highlight=False, markup=False).print(table)
    shown = f", the newest {len(found):,} shown" if count > len(found) else ""
    click.echo(f"{count:,} dead {'letter' if count == 1 else 'letters'}{shown}")


@dead.command()
@click.argument("letter", type=click.UUID)
@click.option("--body", "out", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE", help="Write its body.")
@AS_JSON
def show(letter: UUID, *, out: Path | None, as_machine: bool) -> None:
    """Show a dead letter with all its headers; its body only where --body says (`-` for standard output)."""
    with _database() as (_settings, database):
        found = DeadLetters(database).find(letter)
        if found is None:
            raise BadInput(f"there is no dead letter {letter}")
        if out is not None:
            _write(out, found.body)
    if out is None or str(out) != "-":
        click.echo(json.dumps(as_json(found), indent=None if as_machine else 2))


@dead.command("replay")
@click.argument("letters", type=click.UUID, nargs=-1, metavar="[LETTER]...")
@click.option("--all", "everything", is_flag=True, help="All that are there now.")
@AS_JSON
def replay_letters(letters: tuple[UUID, ...], *, everything: bool, as_machine: bool) -> None:
    """Put dead letters back into the queues that they came from.

    A letter goes once the broker has its message. An item that has its outcome keeps it; `fetcher retry` is for that.
    """
    with _chosen(letters, everything=everything) as (settings, database, ids):
        publisher = Publisher("fetcher-dead", parameters(settings, "fetcher-dead"), Topology.of(settings))
        try:
            done = replay(database, publisher, ids)
        finally:
            publisher.close()
    _tell(as_machine, replayed_as_json(done), _sentence(done))


@dead.command()
@click.argument("letters", type=click.UUID, nargs=-1, metavar="[LETTER]...")
@click.option("--all", "everything", is_flag=True, help="All that are there.")
@AS_JSON
def purge(letters: tuple[UUID, ...], *, everything: bool, as_machine: bool) -> None:
    """Throw dead letters out. Their items keep their outcomes."""
    with _chosen(letters, everything=everything) as (_settings, database, ids):
        count = DeadLetters(database).remove(ids)
    _tell(as_machine, {"purged": count}, f"{count:,} purged")


def as_json(letter: DeadLetter) -> dict[str, Any]:
    """Give a letter for machines; what is no text in its headers is written in hexadecimal digits."""
    return {
        "id": str(letter.letter_id),
        "at": write_instant(letter.at),
        "queue": letter.queue,
        "reason": letter.reason,
        "type": letter.type,
        "message_id": letter.message_id,
        "content_type": letter.content_type,
        "size_bytes": letter.size_bytes,
        "item": letter.item_id and str(letter.item_id),
        "task": letter.task_id and str(letter.task_id),
        "obstacle": obstacle(letter),
        "headers": letter.readable_headers,
    }


def replayed_as_json(done: Replayed) -> dict[str, Any]:
    """Give what became of letters for machines."""
    tasks = sorted(map(str, done.tasks))
    return {"replayed": done.replayed, "refused": done.refused, "ended": done.ended, "tasks_ended": tasks}


def _sentence(done: Replayed) -> str:
    words = [f"{done.replayed:,} put back"]
    if done.refused:
        words.append(f"{done.refused:,} could not be (`fetcher dead show` says why)")
    if done.ended:
        tasks = " ".join(f"fetcher retry {task} --reason poison;" for task in sorted(map(str, done.tasks))[:5])
        words.append(f"the items of {done.ended:,} have their outcomes and keep them; to try them again: {tasks}")
    return ", ".join(words).removesuffix(";")


def _tell(as_machine: bool, value: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps(value) if as_machine else sentence)


def _printable(text: str) -> str:
    """Keep a stranger's text from moving the cursor."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _write(out: Path, body: bytes) -> None:
    try:
        if str(out) == "-":
            sys.stdout.buffer.write(body)
        else:
            out.write_bytes(body)
    except OSError as error:
        raise BadInput(f"{out}: {error.strerror or error}") from error


@contextmanager
def _database() -> Iterator[tuple[Settings, Database]]:
    with one_line() as settings:
        yield settings, connect(settings.mongo_url, application="fetcher-dead")


@contextmanager
def _chosen(letters: tuple[UUID, ...], *, everything: bool) -> Iterator[tuple[Settings, Database, list[UUID]]]:
    """Give the ids of the letters that are meant, those that are not there refused."""
    if bool(letters) == everything:
        raise click.UsageError("Name letters, or give --all.")
    with _database() as (settings, database):
        kept = DeadLetters(database)
        there = kept.ids()
        missing = set(letters).difference(there)
        if missing:
            raise BadInput(f"there is no dead letter {sorted(map(str, missing))[0]}")
        yield settings, database, there if everything else list(dict.fromkeys(letters))
