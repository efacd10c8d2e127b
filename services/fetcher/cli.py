"""The command line: `fetcher publish` and `fetcher retry`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import click

from common import logs
from common.broker import parameters
from common.database import connect
from common.errors import ConfigurationError, Unavailable
from common.page_tasks import Kind
from common.publisher import Publisher
from common.reasons import Reason
from common.settings import Settings
from common.topology import Topology
from services.fetcher.errors import BadInput
from services.fetcher.lines import NotAList
from services.fetcher.one_line import BAD_INPUT, INTERRUPTED, UNREACHABLE, say
from services.fetcher.stack import Stack


def _waiting(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that every publishing command has."""
    options = [
        click.option("--wait", is_flag=True, help="Follow the task until every item has its outcome."),
        click.option("--json", "as_machine", is_flag=True, help="Print the result as JSON on standard output."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("file", required=False)
@click.option("--name", help="A name to find the task by.")
@click.option("--refresh", is_flag=True, help="Download even what an earlier task has stored.")
@click.option("--page", "pages", multiple=True, metavar="URL", help="Instead of FILE: a web page; may be repeated.")
@click.option("--images", is_flag=True, help="Of the pages, the images. Neither this nor --text is both.")
@click.option("--text", is_flag=True, help="Of the pages, the text.")
@click.option("--resume", "task", type=click.UUID, metavar="TASK", help="Publish again what has no outcome yet.")
@_waiting
def publish(
    file: str | None,
    *,
    name: str | None,
    refresh: bool,
    pages: tuple[str, ...],
    images: bool,
    text: bool,
    task: UUID | None,
    wait: bool,
    as_machine: bool,
) -> None:
    """Publish the URLs of FILE, one a line (`-` for standard input), as a task.

    Blank lines and lines that begin with # are left out. With --resume, FILE is only needed when the first
    publication was interrupted before the whole list was in the ledger.

    With --page, the images of a web page and its text are a task each. A page that was handed over before keeps its
    task, which is tried again if it failed; --refresh makes another.
    """
    if pages and (file is not None or task is not None):
        raise click.UsageError("--page stands instead of FILE, and is not for a task that is resumed.")
    if (images or text) and not pages:
        raise click.UsageError("--images and --text say what is wanted of a --page.")
    if file is None and task is None and not pages:
        raise click.UsageError("FILE is missing: name a file of URLs, or - for standard input, or a --page.")
    if task is not None and (name is not None or refresh):
        raise click.UsageError("--name and --refresh are for a new task, not for one that is resumed.")
    with _stack() as stack:
        if task is not None:
            tasks = [stack.resume(task, file)]
        elif pages:
            kinds = [kind for kind, wanted in ((Kind.IMAGES, images), (Kind.TEXT, text)) if wanted] or list(Kind)
            tasks = stack.publish_pages(pages, kinds, name=name, refresh=refresh)
        else:
            tasks = [stack.publish(str(file), name=name, refresh=refresh)]
        stack.finish(tasks, wait=wait, as_machine=as_machine)


@click.command()
@click.argument("task", type=click.UUID)
@click.option(
    "--reason", "reasons", required=True, metavar="REASON[,REASON...]", help="Which errors to try again, or `all`."
)
@_waiting
def retry(task: UUID, reasons: str, *, wait: bool, as_machine: bool) -> None:
    """Try the items of TASK again that ended for one of the reasons; how they ended stays in their history."""
    with _stack() as stack:
        tasks = [stack.retry(task, _reasons(reasons))]
        stack.finish(tasks, wait=wait, as_machine=as_machine)


def _reasons(text: str) -> list[Reason]:
    try:
        return list(Reason) if text == "all" else [Reason(reason.strip()) for reason in text.split(",")]
    except ValueError as error:
        raise BadInput(f"--reason: {error}; known are all, {', '.join(Reason)}") from error


@contextmanager
def _stack() -> Iterator[Stack]:
    """Open what a command needs, and turn every foreseeable failure into one line and an exit code."""
    stack = publisher = None
    try:
        settings = _quiet(Settings.load())
        logs.configure(settings, "fetcher")
        topology = Topology.of(settings)
        database = connect(settings.mongo_url, application="fetcher-cli")
        publisher = Publisher("fetcher-cli", parameters(settings, "fetcher-cli"), topology)
        stack = Stack(settings, database, publisher)
        yield stack
    except (ConfigurationError, NotAList, BadInput) as error:
        sys.exit(say(f"{error}{_to_resume(stack)}", BAD_INPUT))
    except Unavailable as error:
        sys.exit(say(f"{error}{_to_resume(stack)}", UNREACHABLE))
    except KeyboardInterrupt:
        sys.exit(say(f"interrupted{_to_resume(stack)}", INTERRUPTED))
    finally:
        if publisher is not None:
            publisher.close()


def _quiet(settings: Settings) -> Settings:
    """Leave out what only interests the readers of a service's log: here an error becomes one line in the end."""
    return replace(settings, log_level="WARNING") if settings.log_level == "INFO" else settings


def _to_resume(stack: Stack | None) -> str:
    """Name the task that was begun: what of it is not published yet is in the ledger."""
    task_id = stack.task_id if stack else None
    return f"; later: fetcher publish --resume {task_id}" if task_id else ""
