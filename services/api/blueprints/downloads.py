"""`/url_tasks/<id>/items.csv`, `.jsonl` and `/archive`: every item of a task, and its images, as a file."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from flask import Response, stream_with_context
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound

from services.api.archive_answer import MOST_LINES, ZIP, ArchiveQuery, send_archive
from services.api.blueprints.url_tasks import UNKNOWN, TaskPath
from services.api.describing import CSV, JSON_LINES, answer, problems
from services.api.inputs import InvalidInput
from services.api.item_files import csv_chunks, json_line_chunks
from services.api.protection import READ_SECONDS
from services.api.queries.items import LedgerItem, every_item, has_more_items
from services.api.queries.tasks import task_exists
from services.api.resources import database
from services.api.tags import TASKS

Chunks = Callable[[Iterable[list[LedgerItem]]], Iterator[str]]
TOO_LONG = (
    "The archives made here are of tasks of up to {most:,} lines. On the command line: "
    "`fetcher export --task {task_id} --out images --format folder`."
)
blueprint = APIBlueprint("downloads", __name__, abp_tags=[TASKS])


@blueprint.get(
    "/url_tasks/<task_id>/items.csv",
    operation_id="downloadItemsCsv",
    responses={200: answer("The table, in UTF-8.", CSV), **problems(404, 429, 503)},
)
def table(path: TaskPath) -> Response:
    """Give all of the task's items as a table, in the order of its lines.

    A cell that begins with `=`, `+`, `-` or `@` has an apostrophe before it, so that no spreadsheet takes it for a
    formula; `items.jsonl` has the exact text.
    """
    return _file(path.task_id, csv_chunks, CSV, "csv")


@blueprint.get(
    "/url_tasks/<task_id>/items.jsonl",
    operation_id="downloadItemsJsonLines",
    responses={
        200: answer("One JSON object a line, each like those of `items`.", JSON_LINES),
        **problems(404, 429, 503),
    },
)
def json_lines(path: TaskPath) -> Response:
    """Give all of the task's items as JSON lines, in the order of its lines."""
    return _file(path.task_id, json_line_chunks, JSON_LINES, "jsonl")


@blueprint.get(
    "/url_tasks/<task_id>/archive",
    operation_id="downloadImages",
    responses={
        200: answer(
            "`images/<md5>.<ending>` and `gray/<md5>.png`, each image once, and `manifest.jsonl` with a line for every "
            "line of the task.",
            ZIP,
        ),
        **problems(404, 422, 429, 503),
    },
)
def archive(path: TaskPath, query: ArchiveQuery) -> Response:
    """Give the task's images as a ZIP archive, made while it is sent."""
    if not task_exists(database(), path.task_id):
        raise NotFound(UNKNOWN)
    if has_more_items(database(), path.task_id, MOST_LINES):
        raise InvalidInput(TOO_LONG.format(most=MOST_LINES, task_id=path.task_id))
    return send_archive(path.task_id, query.variant)


def _file(task_id: UUID, chunks: Chunks, media_type: str, extension: str) -> Response:
    """Answer bit by bit, however many items there are."""
    if not task_exists(database(), task_id):
        raise NotFound(UNKNOWN)
    items = every_item(database(), task_id, seconds=READ_SECONDS)
    response = Response(stream_with_context(chunks(items)), mimetype=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="graymill-{str(task_id)[:8]}.{extension}"'
    return response
