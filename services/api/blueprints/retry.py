"""`POST /url_tasks/<id>/retry`: what failed for some reasons is tried again."""

import json
from typing import Any

from flask import Response, request, url_for
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from common.reasons import Reason
from services.api.answers import as_json, see_other
from services.api.blueprints.url_tasks import UNKNOWN, TaskPath
from services.api.bodies import receive
from services.api.describing import JSON, SHORT_FORM, answer, problems, reference
from services.api.inputs import InvalidInput
from services.api.queries.tasks import find_task
from services.api.resources import database, resources
from services.api.retrying import retry
from services.api.schemas.retry import Reasons, RetryAnswer
from services.api.submitting import check_broker
from services.api.tags import TASKS

ACCEPTED = f"Send application/json in UTF-8, or a form as {SHORT_FORM}."
REASON = {"type": "string", "enum": [reason.value for reason in Reason]}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "The reasons: as JSON, or `reason` once or more in a form.",
    "content": {
        JSON: {"schema": reference(Reasons)},
        SHORT_FORM: {
            "schema": {
                "type": "object",
                "required": ["reason"],
                "properties": {"reason": {"type": "array", "minItems": 1, "items": REASON, "examples": [["timeout"]]}},
            }
        },
    },
}
blueprint = APIBlueprint("retry", __name__, abp_tags=[TASKS])


@blueprint.post(
    "/url_tasks/<task_id>/retry",
    operation_id="retryItems",
    request_body=REQUEST_BODY,
    responses={
        200: answer("What is tried again; the broker has every item of it.", RetryAnswer),
        303: answer("To the task's page, for who sent a form.", headers=("Location",)),
        **problems(404, 413, 415, 422, 503),
    },
)
def again(path: TaskPath) -> Response:
    """Try again what failed for these reasons; how it ended before stays in its history.

    A request works for some seconds. Of very many items some are `left` then: ask again, or use `fetcher retry`.
    """
    reasons = _read_reasons()
    check_broker()
    task = find_task(database(), path.task_id)
    if task is None:
        raise NotFound(UNKNOWN)
    if task.is_deleted:
        raise InvalidInput("The task was deleted; hand its URLs in again.")
    retried = retry(database(), resources().publisher, task, reasons)
    if request.mimetype == JSON:
        return as_json(RetryAnswer.of(task.task_id, retried))
    return see_other(url_for("url_tasks.task", task_id=task.task_id))


def _read_reasons() -> list[Reason]:
    """Read the body. Raises InvalidInput, UnsupportedMediaType or RequestEntityTooLarge."""
    if request.mimetype == JSON:
        return Reasons.from_json(receive(JSON).text).reasons
    if request.mimetype != SHORT_FORM:
        raise UnsupportedMediaType(ACCEPTED)
    return Reasons.from_json(json.dumps({"reasons": request.form.getlist("reason")})).reasons
