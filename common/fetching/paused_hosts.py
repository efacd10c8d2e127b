"""The hosts that are left alone, for people to look at; and a way to end a pause before its time.

A host that failed again and again and has not answered since its pause was over is failing still: its next failure
makes a longer pause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from common.database import Database, Document, unavailability
from common.reasons import Reason


class State(StrEnum):
    """How a host stands."""

    PAUSED = "paused"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class PausedHost:
    """A host, and until when it is, or was, left alone: as it `asked` for, or for its failures, the `times`-th time.

    `reason` and `status` are those of the answer, or the lack of one, that made the pause.
    """

    host: str
    until: datetime
    reason: Reason
    status: int | None
    asked: bool
    times: int

    @classmethod
    def of(cls, document: Document) -> Self:
        """Read it."""
        return cls(
            document["_id"],
            document["until"],
            Reason(document["reason"]),
            document["status"],
            document["asked"],
            document["times"],
        )

    def state(self, now: datetime) -> State:
        """Tell whether it is left alone now."""
        return State.PAUSED if self.until > now else State.FAILING

    @property
    def why(self) -> str:
        """Say it in a few words."""
        what = self.reason.value if self.status is None else f"HTTP {self.status}"
        if self.asked:
            return f"it asked for it ({what})"
        return f"it keeps failing ({what}), pause {self.times:,} in a row"


class PausedHosts:
    """Every method raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._hosts = database["hosts"]

    def latest(self, now: datetime, most: int, condition: Mapping[str, Any] | None = None) -> list[PausedHost]:
        """Give hosts that are paused or failing, those whose pause ends, or ended, last first."""
        # A host that asked for its pause is as any other when that is over.
        states = {"$or": [{"until": {"$gt": now}}, {"asked": False, "resumed": {"$exists": False}}]}
        with unavailability():
            found = self._hosts.find({"$and": [states, condition or {}]}).sort([("until", -1), ("_id", -1)]).limit(most)
            return [PausedHost.of(document) for document in found]

    def count(self, now: datetime) -> int:
        """Count the hosts that are paused."""
        with unavailability():
            return self._hosts.count_documents({"until": {"$gt": now}})

    def resume(self, host: str, now: datetime) -> bool:
        """End a host's pause and forget its failures; tells whether it had any. All who fetch know soon after."""
        # It stays for a while, since what is not there says nothing to those who know of the pause.
        known = {"_id": host, "resumed": {"$exists": False}}
        with unavailability():
            ended = {"$set": {"until": now, "times": 0, "resumed": True}}
            return self._hosts.update_one(known, ended).matched_count == 1
