"""`/url_tasks/<id>/items`: every line of a task, and how it ended."""

from typing import Annotated

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import Field
from werkzeug.exceptions import NotFound

from common.items import Outcome
from common.reasons import Reason
from services.api.answers import linked, negotiated, next_url
from services.api.blueprints.url_tasks import UNKNOWN, TaskPath
from services.api.cursors import LineCursor
from services.api.describing import HTML, answer, problems
from services.api.inputs import Query
from services.api.queries.items import ItemFilter, items_of
from services.api.queries.tasks import find_name
from services.api.resources import database
from services.api.schemas.items import ItemAnswer, ItemsAnswer
from services.api.tags import TASKS
from services.api.values import Absent, Limit, OptionalFormat

blueprint = APIBlueprint("items", __name__, abp_tags=[TASKS])


class ItemsQuery(Query):
    """Which items, and which page of them."""

    outcome: Annotated[Outcome | Absent, Field(description="Only the items that ended so.")] = None
    reason: Annotated[Reason | Absent, Field(description="Only the errors for this reason.")] = None
    limit: Limit = 50
    cursor: LineCursor | Absent = None
    format: OptionalFormat = None


@blueprint.get(
    "/url_tasks/<task_id>/items",
    operation_id="listItems",
    responses={
        200: answer("Items, in the order of their lines.", ItemsAnswer, HTML, headers=("Link",)),
        **problems(404, 422, 503),
    },
)
def items(path: TaskPath, query: ItemsQuery) -> Response:
    """List the task's items in the order of its lines."""
    task = find_name(database(), path.task_id)
    if task is None:
        raise NotFound(UNKNOWN)
    wanted = ItemFilter(query.outcome, query.reason)
    found, last_line = items_of(database(), path.task_id, wanted, query.limit, query.cursor)
    following = next_url(query, last_line)
    page = negotiated(
        ItemsAnswer(items=[ItemAnswer.of_item(item) for item in found], next=following),
        "items.html",
        query.format,
        task_id=path.task_id,
        task=task,
        items=found,
        wanted=wanted,
        after=query.cursor,
        following=following,
    )
    return linked(page, following)
