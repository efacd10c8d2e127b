"""A list of URLs becomes a task: its items written into the ledger, then published to the fetchers."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from common.facts import UrlSubmitted
from common.items import Item
from common.ledger import BATCH, Ledger
from common.message import Publication
from common.publisher import Publisher

KEPT_CHARACTERS = 8_193
"""One more than MAX_URL_LENGTH can be: a longer URL is cut, and is still too long wherever it is looked at."""
LOOKED_AT_CHARACTERS = 65_536
CONTROLS = r"\x00-\x20\ufeff"
USER_INFORMATION = re.compile(
    rf"^([{CONTROLS}]*(?:[a-z][a-z0-9+.{CONTROLS}-]*:)?[/\\{CONTROLS}]*)[^/\\?#]*@", re.IGNORECASE
)

FIRST_BATCH = 64
"""Few, so that the fetchers have something to do while the rest is written."""

Progress = Callable[[int], None]


class OtherList(Exception):
    """A list is not that of the task that it is to complete."""


def submit(
    ledger: Ledger,
    publisher: Publisher,
    urls: Iterable[str],
    *,
    kind: str = "url",
    name: str | None,
    refresh: bool,
    on_task: Callable[[UUID], None] = lambda _task_id: None,
    on_progress: Progress = lambda _count: None,
) -> UUID:
    """Write and publish a new task; gives its id, once the broker has every item. Raises Unavailable.

    `on_task` is told the id as soon as the task is in the ledger, so that it can be resumed if this fails.
    """
    task_id = ledger.open_task(kind=kind, name=name, refresh=refresh)
    on_task(task_id)
    total = 0
    for first, batch in _batches(urls):
        items = ledger.add_items(task_id, first, batch)
        publish_items(publisher, items, refresh=refresh)
        total += len(items)
        on_progress(total)
    ledger.close_task(task_id, total)
    publisher.flush()
    return task_id


def complete(ledger: Ledger, task_id: UUID, urls: Iterable[str], on_progress: Progress) -> None:
    """Write those of a task's items that an interrupted submission left out. They are not published here.

    Raises OtherList, with nothing changed, when the ledger has another URL on a line, or more lines.
    """
    total = 0
    for first, batch in _batches(urls):
        _check_same(ledger, task_id, first, batch)
        ledger.add_items(task_id, first, batch)
        total += len(batch)
        on_progress(total)
    _check_same(ledger, task_id, total + 1, [])
    ledger.close_task(task_id, total)


def _check_same(ledger: Ledger, task_id: UUID, first: int, batch: Sequence[str]) -> None:
    known = ledger.urls(task_id, first, max(1, len(batch)))
    wrong = [line for line, url in known.items() if batch[line - first : line - first + 1] != [url]]
    if wrong:
        raise OtherList(f"not the list that was interrupted: the ledger has another URL on its line {min(wrong):,}")


def publish_items(publisher: Publisher, items: Iterable[Item], *, refresh: bool) -> None:
    """Tell the fetchers about items that are in the ledger."""
    publisher.publish(_publication(publisher, item, refresh=refresh) for item in items)


def kept(url: str) -> str:
    """Give the URL as it may be written down: without a user name or password, and not endless.

    A URL with a user name is not fetched; what stands in its place keeps it from being another, valid URL.
    """
    return USER_INFORMATION.sub(r"\1***@", url[:LOOKED_AT_CHARACTERS])[:KEPT_CHARACTERS]


def _batches(urls: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Give URLs as they are kept, in batches, each with the line of its first."""
    iterator = iter(urls)
    line, size = 1, FIRST_BATCH
    while batch := [kept(url) for url in islice(iterator, size)]:
        yield line, batch
        line += len(batch)
        size = min(2 * size, BATCH)


def _publication(publisher: Publisher, item: Item, *, refresh: bool) -> Publication:
    return publisher.topology.fact(UrlSubmitted(item, refresh=refresh).to_message())
