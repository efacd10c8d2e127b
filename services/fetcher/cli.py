"""The command line: `fetcher publish` and `fetcher retry`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from services.fetcher.following import Run, follow
from services.fetcher.lines import NotAList, open_list
from services.fetcher.report import as_json, progress_bar, table

BAD_INPUT = 2
UNREACHABLE = 3

console = Console(stderr=True, highlight=False)


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
    try:
        wanted = list(Reason) if reasons == "all" else [Reason(reason.strip()) for reason in reasons.split(",")]
    except ValueError as error:
        raise click.BadParameter(f"{error}; known are {', '.join(Reason)}.", param_hint="--reason") from error
    with _stack() as stack:
        stack.retry(task, wanted)
        stack.finish(task, wait=wait, as_machine=as_machine)


class _Stack:
    """The database and the broker, for one command."""

    def __init__(self, database: Database, publisher: Publisher) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._publisher = publisher
        self._run = Run()

    def publish(self, file: str, *, name: str | None, refresh: bool) -> UUID:
        with open_list(file) as urls, self._progress("publishing", urls.urls) as advance:
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
            click.echo(f"task {task_id}: {self._run.published:,} published")

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
            raise click.UsageError(f"There is no task {task_id}.")
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
        settings = Settings.load()
        logs.configure(settings, "fetcher")
        topology = Topology.of(settings)
        database = connect(settings.mongo_url, application="fetcher-cli")
        publisher = Publisher("fetcher-cli", parameters(settings, "fetcher-cli"), topology)
        stack = _Stack(database, publisher)
        yield stack
    except (ConfigurationError, NotAList) as error:
        sys.exit(_say(str(error), BAD_INPUT))
    except OSError as error:
        sys.exit(_say(f"{error.filename or 'standard input'}: {error.strerror}", BAD_INPUT))
    except Unavailable as error:
        begun = stack.task_id if stack else None
        hint = f"; later: fetcher publish --resume {begun}" if begun else ""
        sys.exit(_say(f"{error}{hint}", UNREACHABLE))
    finally:
        if publisher is not None:
            publisher.close()


def _say(sentence: str, code: int) -> int:
    click.echo(f"fetcher: {sentence}", err=True)
    return code
