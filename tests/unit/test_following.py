"""Following a task while the database goes away and comes back."""

from typing import Any, cast
from uuid import uuid4

import pytest
from pymongo.errors import AutoReconnect
from rich.console import Console

from common.database import Database
from common.errors import Unavailable
from services.fetcher.following import follow
from services.fetcher.run import Run


class Items:
    """A collection that does not answer the first so many times."""

    def __init__(self, away: int) -> None:
        self.away = away

    def aggregate(self, *_: object, **__: object) -> list[dict[str, Any]]:
        if self.away > 0:
            self.away -= 1
            raise AutoReconnect("no primary")
        return [{"_id": {"outcome": "success"}, "count": 3, "last": None}]


def database_of(items: Items) -> Database:
    return cast(Database, {"items": items})


def test_a_database_that_elects_a_primary_is_waited_for() -> None:
    items = Items(away=2)
    state = follow(database_of(items), uuid4(), Run(), Console(quiet=True), bar=False)
    assert (state.success, state.pending, items.away) == (3, 0, 0)


def test_a_database_that_stays_away_ends_the_wait() -> None:
    with pytest.raises(Unavailable, match="no primary"):
        follow(database_of(Items(away=9)), uuid4(), Run(), Console(quiet=True), bar=False, patience_seconds=0)
