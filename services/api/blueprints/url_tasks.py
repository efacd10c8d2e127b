"""`/url_tasks`: the ledger of every submission."""

from typing import Any

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotFound

from common.instants import write_instant
from common.reasons import MEANINGS
from common.tally import Failures
from services.api.answers import linked, negotiated, next_url
from services.api.cursors import read_position, task_key, write_position
from services.api.inputs import parse_uuid, read_limit
from services.api.queries.tasks import Task, find_task, newest_tasks
from services.api.resources import database, resources

UNKNOWN = "There is no task with this id."
blueprint = Blueprint("url_tasks", __name__)


@blueprint.get("/url_tasks")
def newest() -> Response:
    """List tasks, newest first."""
    position = read_position(request.args.get("cursor", ""), task_key)
    page = newest_tasks(database(), resources().recent_tallies, read_limit(request.args), position)
    following = next_url(write_position(page.next))
    value = {"tasks": [task_json(task) for task in page.entries], "next": following}
    return linked(negotiated(value, "url_tasks.html", tasks=page.entries, following=following), following)


@blueprint.get("/url_tasks/<task_id>")
def task(task_id: str) -> Response:
    """Give a task's ledger."""
    key = parse_uuid(task_id)
    found = find_task(database(), key) if key else None
    if found is None:
        raise NotFound(UNKNOWN)
    return negotiated(task_json(found), "url_task.html", task=found)


def task_json(task: Task) -> dict[str, Any]:
    """Write a task as JSON. `total` is the sum of the four outcomes, at every moment."""
    tally, speed = task.tally, task.images_per_second
    return {
        "id": str(task.task_id),
        "name": task.name,
        "kind": task.kind,
        "refresh": task.refresh,
        "created_at": write_instant(task.created_at),
        "published": task.published,
        "total": tally.total,
        "success": tally.success,
        "duplicate": tally.duplicate,
        "error": tally.error,
        "pending": tally.pending,
        "duplicates_known_by_url": tally.known_by_url,
        "errors": [_failures(task, failures) for failures in tally.failures],
        "finished_at": write_instant(task.finished_at) if task.finished_at else None,
        "images_per_second": None if speed is None else round(speed, 3),
        "links": {
            "self": url_for("url_tasks.task", task_id=task.task_id),
            "items": url_for("items.items", task_id=task.task_id),
            "monitoring": url_for("monitoring.page", task=task.task_id),
        },
    }


def _failures(task: Task, failures: Failures) -> dict[str, Any]:
    return {
        "reason": failures.reason,
        "status": failures.status,
        "count": failures.count,
        "meaning": MEANINGS[failures.reason],
        "items": url_for("items.items", task_id=task.task_id, outcome="error", reason=failures.reason.value),
    }
