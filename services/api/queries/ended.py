"""The items behind a bar: those that ended within a span, latest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.database import Database, unavailability
from common.items import Outcome
from services.api.queries.items import ItemFilter, LedgerItem, ledger_item
from services.api.queries.newest import Page, Position, after, cut
from services.api.queries.scope import Scope
from services.api.queries.span import Span


@dataclass(frozen=True, slots=True)
class EndedItem:
    """An item of any task."""

    task_id: UUID
    finished_at: datetime
    item: LedgerItem


def ended_items(
    database: Database, span: Span, scope: Scope, wanted: ItemFilter, *, limit: int, position: Position | None
) -> Page[EndedItem]:
    """Give a page of the items that ended within the span, walking an index from the position on."""
    query, hint = {**scope.ended(span.start, span.end), **wanted.condition}, scope.index
    if wanted.condition.get("outcome") == Outcome.ERROR.value and scope.host is None:
        query, hint = {**scope.failed(span.start, span.end), **wanted.condition}, scope.error_index
    further = after(position, "finished_at")
    with unavailability():
        found = database["items"].find({"$and": [query, further]} if further else query)
        documents = list(found.sort([("finished_at", -1), ("_id", -1)]).limit(limit + 1).hint(hint))
    return cut(
        (
            (
                EndedItem(document["task_id"], document["finished_at"], ledger_item(document)),
                Position(document["finished_at"], document["_id"]),
            )
            for document in documents
        ),
        limit,
    )
