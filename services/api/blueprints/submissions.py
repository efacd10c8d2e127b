"""`POST /url_tasks`: a list of URLs is written into the ledger and published."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import UnsupportedMediaType

from common.errors import Unavailable
from common.ledger import Ledger
from common.submission import submit
from services.api.blueprints.url_tasks import task_json
from services.api.problems import unavailable
from services.api.queries.tasks import find_task
from services.api.resources import database, resources
from services.api.url_lists import Submission, read_json, read_text

ACCEPTED = "Send application/json, or the lines of a file as text/plain; both in UTF-8 and not compressed."
blueprint = Blueprint("submissions", __name__)


@blueprint.post("/url_tasks")
def create() -> Response:
    """Take a list in; the answer comes when the broker has every item."""
    submission = _read()
    publisher = resources().publisher
    if not publisher.ready:
        raise Unavailable("RabbitMQ: not ready")
    written: list[UUID] = []
    try:
        task_id = submit(
            Ledger(database()),
            publisher,
            submission.urls,
            kind="url",
            name=submission.name,
            refresh=submission.refresh,
            on_task=written.append,
        )
        task = find_task(database(), task_id)
    except Unavailable as error:
        if not written:
            raise
        return _half_done(error, written[0])
    response = jsonify(task_json(task) if task else {"id": str(task_id)})
    response.status_code = 201
    response.headers["Location"] = url_for("url_tasks.task", task_id=task_id)
    return response


def _half_done(error: Unavailable, task_id: UUID) -> Response:
    """Answer that a part may be done, and name the task that tells which."""
    return unavailable(
        error,
        sentence=f"The task {task_id} was opened, but the database or the broker went away before all of it was "
        f"confirmed. Its ledger tells what is in it; `fetcher publish --resume {task_id} FILE` does the rest. Sending "
        "the list again makes another task.",
        task=str(task_id),
        links={"task": url_for("url_tasks.task", task_id=task_id)},
    )


def _read() -> Submission:
    most = resources().settings.api_max_urls
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if charset in ("utf-8", "utf8") and encoding == "identity":
        if request.mimetype == "application/json":
            return read_json(request.get_data(), most)
        if request.mimetype == "text/plain":
            return read_text(request.get_data(), request.args, most)
    raise UnsupportedMediaType(ACCEPTED)
