"""The items of a task as the lines of a file: a table for spreadsheets, or JSON lines."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from common.instants import write_instant
from services.api.queries.items import LedgerItem
from services.api.schemas.items import ItemAnswer

COLUMNS = (
    *("line", "url", "outcome", "reason", "status", "detail", "md5", "known_by"),
    *("stage", "attempts", "round", "finished_at"),
)
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet calculates what begins so; a stranger's URL must not have it do that."""


def csv_chunks(batches: Iterable[list[LedgerItem]]) -> Iterator[str]:
    """Write a table with a header (RFC 4180), of each item how it stands now."""
    yield _written([COLUMNS])
    for items in batches:
        yield _written(_row(item) for item in items)


def json_line_chunks(batches: Iterable[list[LedgerItem]]) -> Iterator[str]:
    """Write each item with its history as it is in the API."""
    for items in batches:
        yield "".join(f"{ItemAnswer.of_item(item).model_dump_json()}\n" for item in items)


def _written(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _row(item: LedgerItem) -> list[Any]:
    end = item.end
    finished_at = write_instant(end.finished_at) if end.finished_at else None
    cells = (
        *(item.line, item.url, end.outcome.value, end.reason.value if end.reason else None, end.status, end.detail),
        *(end.md5, end.known_by, end.stage, end.attempts, end.round, finished_at),
    )
    return [_harmless(cell) for cell in cells]


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_BEGINNINGS) else cell
