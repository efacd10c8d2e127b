"""The hosts whose items failed most."""

from dataclasses import dataclass
from typing import Any

from common.database import Database, unavailability
from common.reasons import Reason
from services.api.queries.scope import Scope
from services.api.queries.span import Span

LATEST_ERRORS = 5_000
"""So many are looked at, so that a bad day is counted as quickly as a good one."""


@dataclass(frozen=True, slots=True)
class FailingHost:
    """How many of a host's items failed, and the most frequent reason."""

    host: str
    errors: int
    reason: Reason


def failing_hosts(database: Database, span: Span, scope: Scope, most: int) -> tuple[FailingHost, ...]:
    """Give the hosts with the most errors among the latest errors of the span, most first."""
    pipeline: list[dict[str, Any]] = [
        {"$match": scope.failed(span.start, span.end)},
        {"$sort": {"finished_at": -1, "_id": -1}},
        {"$limit": LATEST_ERRORS},
        {"$group": {"_id": {"host": "$host", "reason": "$reason"}, "count": {"$sum": 1}}},
        {"$match": {"_id.host": {"$type": "string"}}},
        {"$sort": {"count": -1, "_id": 1}},
        {"$group": {"_id": "$_id.host", "errors": {"$sum": "$count"}, "reason": {"$first": "$_id.reason"}}},
        {"$sort": {"errors": -1, "_id": 1}},
        {"$limit": most},
    ]
    with unavailability():
        rows = list(database["items"].aggregate(pipeline, hint=dict(scope.error_index)))
    return tuple(FailingHost(row["_id"], row["errors"], Reason(row["reason"])) for row in rows)
