"""The command line: `fetcher publish` and `fetcher retry`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import click
from rich.console import Console

from common import logs
from common.broker import parameters
from common.database import Database, connect
from common.errors import ConfigurationError, Unavailable
from common.ledger import Ledger
from common.publisher import Publisher
from common.reasons import Reason
from common.settings import Settings
from common.submission import complete, publish_items, submit
from common.tally import tally
from common.topology import Topology
from services.fetcher.export.command import export
from services.fetcher.following import follow
from services.fetcher.lines import NotAList, open_list
from services.fetcher.report import as_json, progress_bar, table
from services.fetcher.run import Run

BAD_INPUT = 2
UNREACHABLE = 3
INTERRUPTED = 130
LONGEST_NAME = 200

console = Console(stderr=True, highlight=False)


class BadInput(Exception):
    """What was asked for cannot be; the text says why."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="graymill", prog_name="fetcher")
def main() -> None:
    """Hand URLs over to Graymill and see what becomes of them."""


def _waiting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every publishing command has."""
    options = [
        click.option("--wait", is_flag=True, help="Follow the task until every item has its outcome."),
        click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@click.argument("file", required=False)
@click.option("--name", help="A name to find the task by.")
@click.option("--refresh", is_flag=True, help="Download even what an earlier task has stored.")
@click.option("--resume", "task", type=click.UUID, metavar="TASK", help="Publish again what has no outcome yet.")
@_waiting
def publish(
    file: str | None, *, name: str | None, refresh: bool, task: UUID | None, wait: bool, as_machine: bool
) -> None:
    """Publish the URLs of FILE, one a line (`-` for standard input), as a task.

    Blank lines and lines that begin with # are left out. With --resume, FILE is only needed when the first
    publication was interrupted before the whole list was in the ledger.
    """
    if file is None and task is None:
        raise click.UsageError("FILE is missing: name a file of URLs, or - for standard input.")
    if task is not None and (name is not None or refresh):
        raise click.UsageError("--name and --refresh are for a new task, not for one that is resumed.")
    with _stack() as stack:
        if task is not None:
            stack.resume(task, file)
        else:
            task = stack.publish(str(file), name=name, refresh=refresh)
        stack.finish(task, wait=wait, as_machine=as_machine)


@main.command()
@click.argument("task", type=click.UUID)
@click.option(
    "--reason", "reasons", required=True, metavar="REASON[,REASON...]", help="Which errors to try again, or `all`."
)
@_waiting
def retry(task: UUID, reasons: str, *, wait: bool, as_machine: bool) -> None:
    """Try the items of TASK again that ended for one of the reasons; how they ended stays in their history."""
    with _stack() as stack:
        stack.retry(task, _reasons(reasons))
        stack.finish(task, wait=wait, as_machine=as_machine)


def _reasons(text: str) -> list[Reason]:
    try:
        return list(Reason) if text == "all" else [Reason(reason.strip()) for reason in text.split(",")]
    except ValueError as error:
        raise BadInput(f"--reason: {error}; known are all, {', '.join(Reason)}") from error


main.add_command(export)


class _Stack:
    """The database and the broker, for one command."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._publisher = publisher
        self._run = Run()

    def publish(self, file: str, *, name: str | None, refresh: bool) -> UUID:
        if name is not None and not (len(name) <= LONGEST_NAME and name.isprintable()):
            raise BadInput(f"--name: must be at most {LONGEST_NAME} printable characters")
        with open_list(file) as urls, self._progress("publishing", urls.urls) as advance:
            self._run.skipped = urls.skipped
            return submit(
                self._ledger,
                self._publisher,
                urls,
                name=name,
                refresh=refresh,
                on_task=self._run.begin,
                on_progress=advance,
            )

    def resume(self, task_id: UUID, file: str | None) -> None:
        task = self._task(task_id)
        if file is not None:
            with open_list(file) as urls, progress_bar(console, "completing", urls.urls) as advance:
                self._run.skipped = urls.skipped
                complete(self._ledger, task_id, urls, advance)
        elif task["total"] is None:
            console.print("The task's list was never written whole: give FILE as well to complete it.")
        self._publish_all(self._ledger.pending(task_id), "publishing again", refresh=task["refresh"])

    def retry(self, task_id: UUID, reasons: list[Reason]) -> None:
        task = self._task(task_id)
        self._publish_all(self._ledger.reopen(task_id, reasons), "trying again", refresh=task["refresh"])

    def finish(self, task_id: UUID, *, wait: bool, as_machine: bool) -> None:
        if wait:
            follow(self._database, task_id, self._run, console, bar=not as_machine)
        result = tally(self._database, task_id)
        if as_machine:
            click.echo(json.dumps(as_json(task_id, result, self._run)))
        elif wait:
            Console(highlight=False).print(table(result, self._run))
            click.echo(f"task {task_id}")
        else:
            left_out = f", {self._run.skipped:,} blank or comment lines left out" if self._run.skipped else ""
            click.echo(f"task {task_id}: {self._run.published:,} published{left_out}")

    @contextmanager
    def _progress(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        with progress_bar(console, what, total) as advance:

            def both(count: int) -> None:
                self._run.has_published(count)
                advance(count)

            yield both

    @property
    def task_id(self) -> UUID | None:
        return self._run.task_id

    def _task(self, task_id: UUID) -> dict[str, Any]:
        task = self._ledger.task(task_id)
        if task is None:
            raise BadInput(f"there is no task {task_id}")
        self._run.begin(task_id)
        return task

    def _publish_all(self, batches: Iterator[list[Any]], what: str, *, refresh: bool) -> None:
        with self._progress(what, None) as advance:
            for items in batches:
                publish_items(self._publisher, items, refresh=refresh)
                advance(self._run.published + len(items))
            self._publisher.flush()


@contextmanager
def _stack() -> Iterator[_Stack]:
    """Open what a command needs, and turn every foreseeable failure into one line and an exit code."""
    stack = publisher = None
    try:
        settings = _quiet(Settings.load())
        logs.configure(settings, "fetcher")
        topology = Topology.of(settings)
        database = connect(settings.mongo_url, application="fetcher-cli")
        publisher = Publisher("fetcher-cli", parameters(settings, "fetcher-cli"), topology)
        stack = _Stack(database, publisher)
        yield stack
    except (ConfigurationError, NotAList, BadInput) as error:
        sys.exit(_say(f"{error}{_to_resume(stack)}", BAD_INPUT))
    except Unavailable as error:
        sys.exit(_say(f"{error}{_to_resume(stack)}", UNREACHABLE))
    except KeyboardInterrupt:
        sys.exit(_say(f"interrupted{_to_resume(stack)}", INTERRUPTED))
    finally:
        if publisher is not None:
            publisher.close()


def _quiet(settings: Settings) -> Settings:
    """Leave out what only interests the readers of a service's log: here an error becomes one line in the end."""
    return replace(settings, log_level="WARNING") if settings.log_level == "INFO" else settings


def _to_resume(stack: _Stack | None) -> str:
    """Name the task that was begun: what of it is not published yet is in the ledger."""
    task_id = stack.task_id if stack else None
    return f"; later: fetcher publish --resume {task_id}" if task_id else ""


def _say(sentence: str, code: int) -> int:
    click.echo(f"fetcher: {sentence}", err=True)
    return code
