"""`/monitoring/items`: the items behind a bar of the histogram."""

from typing import Annotated

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import Field

from common.items import Outcome
from common.reasons import Reason
from services.api.answers import linked, negotiated, next_url
from services.api.blueprints.monitoring import ScopeQuery, asked
from services.api.cursors import TaskCursor, write_position
from services.api.describing import HTML, answer, problems
from services.api.queries.ended import ended_items
from services.api.queries.items import ItemFilter
from services.api.resources import database, now
from services.api.schemas.ended_items import EndedItemAnswer, EndedItemsAnswer
from services.api.tags import MONITORING
from services.api.values import Absent, Limit, OptionalFormat

blueprint = APIBlueprint("monitoring_items", __name__, abp_tags=[MONITORING])


class EndedItemsQuery(ScopeQuery):
    """Which items, and which page of them."""

    outcome: Annotated[Outcome | Absent, Field(description="Only the items that ended so.")] = None
    reason: Annotated[Reason | Absent, Field(description="Only the errors for this reason.")] = None
    limit: Limit = 50
    cursor: TaskCursor | Absent = None
    format: OptionalFormat = None


@blueprint.get(
    "/monitoring/items",
    operation_id="listEndedItems",
    responses={
        200: answer("Items, latest first.", EndedItemsAnswer, HTML, headers=("Link",)),
        **problems(404, 422, 429, 503),
    },
)
def items(query: EndedItemsQuery) -> Response:
    """List the items that ended within a span, of all tasks, latest first."""
    span, scope = query.span(now()), query.scope()
    wanted = ItemFilter(query.outcome, query.reason)
    found = ended_items(database(), span, scope, wanted, limit=query.limit, position=query.cursor)
    following = next_url(query, write_position(found.next))
    page = negotiated(
        EndedItemsAnswer(items=[EndedItemAnswer.of(ended) for ended in found.entries], next=following),
        "monitoring_items.html",
        query.format,
        items=found.entries,
        span=span,
        scope=scope,
        wanted=wanted,
        asked=asked(query, "cursor", "limit", "format"),
        after=query.cursor,
        following=following,
    )
    return linked(page, following)
