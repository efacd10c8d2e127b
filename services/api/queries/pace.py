"""How fast a task goes just now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.database import Database, unavailability
from services.api.queries.scope import Scope

LOOKED_AT = timedelta(seconds=60)
LEAST_SECONDS = 5
LEAST_ITEMS = 10
"""Of less than this no rate is told: it would be another one at the next look."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many items ended within the last minute, over how many seconds: from the first of them until now."""

    ended: int
    seconds: float

    @property
    def per_second(self) -> float | None:
        """Give the rate, None while too little is known."""
        return self.ended / self.seconds if self.ended >= LEAST_ITEMS and self.seconds >= LEAST_SECONDS else None

    def seconds_left(self, pending: int) -> float | None:
        """Give how long so many items take at this rate, None while it is not known."""
        return None if self.per_second is None else pending / self.per_second


def pace(database: Database, task_id: UUID, now: datetime) -> Pace:
    """Look at what of a task ended lately, in an index in that order."""
    scope = Scope(task_id)
    lately = scope.ended(now - LOOKED_AT, now)
    items = database["items"]
    with unavailability():
        first = next(items.find(lately, {"finished_at": 1}).sort("finished_at").limit(1).hint(scope.index), None)
        if first is None:
            return Pace(0, LOOKED_AT.total_seconds())
        return Pace(items.count_documents(lately, hint=scope.index), (now - first["finished_at"]).total_seconds())
