"""Web pages on the command line: their URLs, and how their tasks stand in words or as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import click
from rich.console import Console

from common.database import Database, Document, unavailability
from common.errors import Permanent
from common.fetching.target import read_target
from common.items import Outcome
from common.page_state import PageState, page_state
from common.page_tasks import Kind
from common.reasons import MEANINGS, Reason
from services.fetcher.errors import BadInput
from services.fetcher.report import as_json, table
from services.fetcher.run import Run


def read_pages(urls: Iterable[str], *, max_length: int) -> list[str]:
    """Read URLs as the scraper will ask for them, each once. Raises BadInput."""
    pages: dict[str, None] = {}
    for url in urls:
        try:
            pages[read_target(url, max_length=max_length).url] = None
        except Permanent as error:
            raise BadInput(f"--page: {error.detail}") from error
    return list(pages)


@dataclass(frozen=True, slots=True)
class PageReport:
    """How the task of a page stands, for one run of the command."""

    task: Document
    state: PageState
    run: Run

    @classmethod
    def of(cls, database: Database, task_id: UUID, run: Run) -> Self | None:
        """Look at a task; None when it is not of a page. Raises Unavailable."""
        with unavailability():
            task = database["tasks"].find_one({"_id": task_id, "page": {"$exists": True}})
        state = page_state(database, task_id) if task else None
        return cls(task, state, run) if task is not None and state is not None else None

    def show(self, *, wait: bool, as_machine: bool) -> None:
        """Print it: as JSON on one line, or in words, with the counts of the images where it was waited for."""
        if as_machine:
            click.echo(json.dumps(self.as_json()))
            return
        if wait and self.task["kind"] == Kind.IMAGES:
            Console(highlight=False).print(table(self.state.images, self.run))
        click.echo(f"task {self.task['_id']}: {self._sentence()}")

    def as_json(self) -> dict[str, Any]:
        """Give it for machines; the counts are those of the images."""
        page = self.state.page
        failure = {name: page.get(name) for name in ("reason", "status", "detail")}
        return {
            **as_json(self.task["_id"], self.state.images, self.run),
            "kind": self.task["kind"],
            "page": self.task["page"],
            "there_already": self._there_already,
            "status": self.state.status.value,
            "page_error": failure if page["outcome"] == Outcome.ERROR.value else None,
        }

    @property
    def _there_already(self) -> bool:
        return self.task["_id"] in self.run.there_already

    def _sentence(self) -> str:
        words = [f"{self.task['kind']} of {self.task['page']}: {self.state.status.value}"]
        if self._there_already:
            words.append("handed over before")
        if self.state.page["outcome"] == Outcome.ERROR.value:
            reason = Reason(self.state.page["reason"])
            words.append(f"{reason}: {MEANINGS[reason]}")
        return ", ".join(words)
