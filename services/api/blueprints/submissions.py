"""`POST /url_tasks`: a list of URLs is written into the ledger and published."""

from flask import Response, url_for
from flask_openapi import APIBlueprint

from services.api.answers import as_json
from services.api.bodies import receive
from services.api.describing import JSON, TEXT, answer, problems
from services.api.queries.tasks import find_task
from services.api.resources import database
from services.api.schemas.tasks import TaskAnswer
from services.api.submitting import hand_in
from services.api.tags import TASKS
from services.api.url_lists import REQUEST_BODY, FileQuery, read_url_list

OF_THE_TASK = {"task_id": "$response.body#/id"}
LINKS = {
    "task": {"operationId": "getTask", "parameters": OF_THE_TASK},
    "items": {"operationId": "listItems", "parameters": OF_THE_TASK},
}
blueprint = APIBlueprint("submissions", __name__, abp_tags=[TASKS])


@blueprint.post(
    "/url_tasks",
    operation_id="submitUrls",
    request_body=REQUEST_BODY,
    responses={
        201: answer("The task; the broker has every item.", TaskAnswer, headers=("Location",), links=LINKS),
        **problems(413, 415, 422, 503),
    },
)
def create(query: FileQuery) -> Response:
    """Hand in a list of URLs."""
    task_id = hand_in(read_url_list(receive(JSON, TEXT), query))
    task = find_task(database(), task_id)
    if task is None:
        raise LookupError(f"the task {task_id} is gone as soon as it was written")
    response = as_json(TaskAnswer.of(task), 201)
    response.headers["Location"] = url_for("url_tasks.task", task_id=task_id)
    return response
