"""What the commands do with the database and the broker, and what they then say."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from rich.console import Console

from common.database import Database
from common.ledger import Ledger
from common.page_tasks import Kind, PageTasks
from common.publisher import Publisher
from common.reasons import Reason
from common.settings import Settings
from common.submission import OtherList, complete, publish_items, submit
from common.tally import tally
from services.fetcher.errors import BadInput
from services.fetcher.following import follow
from services.fetcher.lines import open_list
from services.fetcher.pages import PageReport, read_pages
from services.fetcher.report import as_json, progress_bar, table
from services.fetcher.run import Run

LONGEST_NAME = 200


class Stack:
    """The database and the broker, for one command."""

    def __init__(self, settings: Settings, database: Database, publisher: Publisher) -> None:
        self._settings = settings
        self._database = database
        self._ledger = Ledger(database)
        self._pages = PageTasks(database, publisher)
        self._publisher = publisher
        self._console = Console(stderr=True, highlight=False)
        self._run = Run()

    @property
    def task_id(self) -> UUID | None:
        """Give the task that was begun last."""
        return self._run.task_id

    def publish(self, file: str, *, name: str | None, refresh: bool) -> UUID:
        """Hand a list of URLs over."""
        _check_name(name)
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

    def publish_pages(
        self, urls: Sequence[str], kinds: Sequence[Kind], *, name: str | None, refresh: bool
    ) -> list[UUID]:
        """Hand web pages over, each for each of these kinds; all of the URLs are read before any is handed over."""
        _check_name(name)
        pages = read_pages(urls, max_length=self._settings.max_url_length)
        handed = [
            self._pages.submit(kind, page, name=name, refresh=refresh, on_task=self._run.begin)
            for page in pages
            for kind in kinds
        ]
        self._run.there_already = {each.task_id for each in handed if not each.is_new}
        return [each.task_id for each in handed]

    def resume(self, task_id: UUID, file: str | None) -> UUID:
        """Publish again what of a task has no outcome."""
        task = self._task(task_id)
        if "page" in task:
            if file is not None:
                raise BadInput(f"task {task_id} is of a web page, and needs no FILE")
            self._pages.publish(task_id)
            return task_id
        if file is not None:
            with open_list(file) as urls, progress_bar(self._console, "completing", urls.urls) as advance:
                self._run.skipped = urls.skipped
                try:
                    complete(self._ledger, task_id, urls, advance)
                except OtherList as error:
                    raise BadInput(f"{file}: {error}") from error
        elif task["total"] is None:
            self._console.print("The task's list was never written whole: give FILE as well to complete it.")
        self._publish_all(self._ledger.pending(task_id), "publishing again", refresh=task["refresh"])
        return task_id

    def retry(self, task_id: UUID, reasons: Sequence[Reason]) -> UUID:
        """Try again what of a task failed for one of these reasons."""
        task = self._task(task_id)
        if "page" in task:
            self._run.has_published(self._pages.retry(task_id, reasons))
        else:
            self._publish_all(self._ledger.reopen(task_id, reasons), "trying again", refresh=task["refresh"])
        return task_id

    def finish(self, task_ids: Sequence[UUID], *, wait: bool, as_machine: bool) -> None:
        """Follow the tasks to their ends if that is wanted, and say how they stand."""
        for task_id in task_ids:
            if wait:
                follow(self._database, task_id, self._run, self._console, bar=not as_machine)
            page = PageReport.of(self._database, task_id, self._run)
            if page is not None:
                page.show(wait=wait, as_machine=as_machine)
            else:
                self._show(task_id, wait=wait, as_machine=as_machine)

    def _show(self, task_id: UUID, *, wait: bool, as_machine: bool) -> None:
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
        with progress_bar(self._console, what, total) as advance:

            def both(count: int) -> None:
                self._run.has_published(count)
                advance(count)

            yield both

    def _task(self, task_id: UUID) -> dict[str, Any]:
        task = self._ledger.task(task_id)
        if task is None:
            raise BadInput(f"there is no task {task_id}")
        if "deleted_at" in task:
            raise BadInput(f"task {task_id} was deleted")
        self._run.begin(task_id)
        return task

    def _publish_all(self, batches: Iterator[list[Any]], what: str, *, refresh: bool) -> None:
        with self._progress(what, None) as advance:
            for items in batches:
                publish_items(self._publisher, items, refresh=refresh)
                advance(self._run.published + len(items))
            self._publisher.flush()


def _check_name(name: str | None) -> None:
    if name is not None and not (len(name) <= LONGEST_NAME and name.isprintable()):
        raise BadInput(f"--name: must be at most {LONGEST_NAME} printable characters")
