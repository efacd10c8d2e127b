"""`/url_tasks/<id>/items`: every line of a task, and how it ended."""

from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotFound

from common.instants import write_instant
from common.items import Outcome
from common.reasons import MEANINGS, Reason
from services.api.answers import linked, negotiated, next_url
from services.api.blueprints.url_tasks import UNKNOWN
from services.api.cursors import read_line
from services.api.inputs import parse_uuid, read_choice, read_limit
from services.api.queries.items import End, ItemFilter, LedgerItem, items_of
from services.api.queries.tasks import task_exists
from services.api.resources import database

blueprint = Blueprint("items", __name__)


@blueprint.get("/url_tasks/<task_id>/items")
def items(task_id: str) -> Response:
    """List the task's items in the order of its lines."""
    wanted = ItemFilter(read_choice(request.args, "outcome", Outcome), read_choice(request.args, "reason", Reason))
    limit, line = read_limit(request.args), read_line(request.args.get("cursor", ""))
    key = parse_uuid(task_id)
    if key is None or not task_exists(database(), key):
        raise NotFound(UNKNOWN)
    found, last_line = items_of(database(), key, wanted, limit, line)
    following = next_url(last_line)
    value = {"items": [_item(item) for item in found], "next": following}
    page = negotiated(value, "items.html", task_id=key, items=found, wanted=wanted, after=line, following=following)
    return linked(page, following)


def _item(item: LedgerItem) -> dict[str, Any]:
    return {
        "id": str(item.item_id),
        "line": item.line,
        "url": item.url,
        **_end(item.end),
        "history": [_end(end) for end in item.history],
        "links": _links(item.end.md5),
    }


def _end(end: End) -> dict[str, Any]:
    return {
        "round": end.round,
        "outcome": end.outcome,
        "md5": end.md5,
        "known_by": end.known_by,
        "reason": end.reason,
        "meaning": MEANINGS[end.reason] if end.reason else None,
        "status": end.status,
        "detail": end.detail,
        "stage": end.stage,
        "attempts": end.attempts,
        "finished_at": write_instant(end.finished_at) if end.finished_at else None,
    }


def _links(md5: str | None) -> dict[str, str]:
    if md5 is None:
        return {}
    return {"image": url_for("image_bytes.gray", md5=md5), "metadata": url_for("images.metadata", md5=md5)}
