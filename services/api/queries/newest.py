"""Pages of a list, newest first: a time and, among entries of the same time, the key decide the order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from common.database import Document

Key = str | UUID
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Position:
    """The last entry that a reader has seen."""

    at: datetime
    key: Key


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """Some entries, and the position that the next page starts after; None when there is none."""

    entries: tuple[Entry, ...]
    next: Position | None


def after(position: Position | None, field: str) -> Document:
    """Give the filter for what comes after the position in the order of (field, _id), both descending.

    The bound on `field` alone is what the index is entered with; the rest only sorts out entries of the same time.
    """
    if position is None:
        return {}
    same_time = {field: position.at, "_id": {"$lt": position.key}}
    return {field: {"$lte": position.at}, "$or": [{field: {"$lt": position.at}}, same_time]}


def cut(entries: Iterable[tuple[Entry, Position]], limit: int) -> Page[Entry]:
    """Make a page of up to `limit` entries out of up to one more than that."""
    found = list(entries)
    more = len(found) > limit
    return Page(tuple(entry for entry, _ in found[:limit]), found[limit - 1][1] if more else None)
