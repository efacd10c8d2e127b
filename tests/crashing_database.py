"""A database that a process dies of: it counts what is asked of it, and raises before one of these operations."""

from collections.abc import Callable
from typing import Any

from common.database import Database


class Crash(Exception):
    """Stands for the end of the process: nothing in the code may catch it."""


class CrashingDatabase:
    """Passes everything on, except the operation with the number `crash_at` (from 1)."""

    def __init__(self, database: Database, crash_at: int | None = None) -> None:
        self._database = database
        self.crash_at = crash_at
        self.operations: list[str] = []

    def __getitem__(self, name: str) -> "_Collection":
        return _Collection(self, self._database[name])

    def count(self, operation: str) -> None:
        if len(self.operations) + 1 == self.crash_at:
            self.crash_at = None
            raise Crash(operation)
        self.operations.append(operation)


class _Collection:
    def __init__(self, database: CrashingDatabase, collection: Any) -> None:
        self._database = database
        self._collection = collection

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._collection, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            self._database.count(f"{self._collection.name}.{name}")
            return method(*arguments, **named)

        return counted
