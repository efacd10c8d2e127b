"""`/text_tasks`: the text of web pages, a task a page."""

from typing import Annotated, ClassVar

from flask import Response, request, url_for
from flask_openapi import APIBlueprint
from pydantic import Field

from common.page_tasks import Kind
from services.api.answers import as_json, linked, next_url
from services.api.blueprints import page_tasks
from services.api.blueprints.page_tasks import PageTasksQuery
from services.api.cursors import write_position
from services.api.describing import TEXT, UNCHANGED, answer, problems
from services.api.inputs import Path, Query
from services.api.page_submissions import REQUEST_BODY
from services.api.problems import problem
from services.api.queries.page_tasks import Form, newest_page_tasks, text_of
from services.api.resources import database, resources
from services.api.schemas.page_tasks import TextTaskAnswer, TextTasksAnswer
from services.api.tags import WEB_PAGES
from services.api.values import EXAMPLE_TEXT_TASK, TaskId

LINKS = {
    name: {"operationId": operation, "parameters": {"task_id": "$response.body#/id"}}
    for name, operation in (("task", "getTextTask"), ("text", "getText"))
}
blueprint = APIBlueprint("text_tasks", __name__, abp_tags=[WEB_PAGES])


class TextTaskPath(Path):
    """Which task."""

    missing: ClassVar[str] = page_tasks.UNKNOWN

    task_id: Annotated[TaskId, Field(examples=[EXAMPLE_TEXT_TASK])]


class TextQuery(Query):
    """Which of the page's texts."""

    form: Annotated[
        Form,
        Field(description="All text that the page shows, or its main text, without navigation and the like."),
    ] = Form.ALL


@blueprint.post(
    "/text_tasks",
    operation_id="submitPageForText",
    request_body=REQUEST_BODY,
    responses={
        200: answer("The task that the page has already; it is tried again if it failed.", TextTaskAnswer),
        201: answer("A new task.", TextTaskAnswer, headers=("Location",), links=LINKS),
        **problems(413, 415, 422, 503),
    },
)
def create() -> Response:
    """Hand in a page whose text is wanted."""
    submitted = page_tasks.submit(Kind.TEXT)
    response = as_json(TextTaskAnswer.of(submitted.task), submitted.status)
    if submitted.status == 201:
        response.headers["Location"] = url_for(".task", task_id=submitted.task.task_id)
    return response


@blueprint.get(
    "/text_tasks",
    operation_id="listTextTasks",
    responses={200: answer("Tasks, newest first.", TextTasksAnswer, headers=("Link",)), **problems(422, 503)},
)
def newest(query: PageTasksQuery) -> Response:
    """List the tasks of pages' text, newest first."""
    page = newest_page_tasks(database(), Kind.TEXT, resources().recent_tallies, query.limit, query.cursor)
    following = next_url(query, write_position(page.next))
    tasks = [TextTaskAnswer.of(task) for task in page.entries]
    return linked(as_json(TextTasksAnswer(tasks=tasks, next=following)), following)


@blueprint.get(
    "/text_tasks/<task_id>",
    operation_id="getTextTask",
    responses={200: answer("The task as it stands.", TextTaskAnswer), **problems(404, 503)},
)
def task(path: TextTaskPath) -> Response:
    """Tell how a task of a page's text stands."""
    return as_json(TextTaskAnswer.of(page_tasks.find(Kind.TEXT, path.task_id)))


@blueprint.get(
    "/text_tasks/<task_id>/text",
    operation_id="getText",
    responses={
        200: answer("The text, in UTF-8.", TEXT, headers=("ETag",)),
        304: UNCHANGED,
        **problems(404, 422, 503),
    },
)
def text(path: TextTaskPath, query: TextQuery) -> Response:
    """Give a page's text; until it is there 404, with the task's status as `task_status`."""
    found = page_tasks.find(Kind.TEXT, path.task_id)
    body = text_of(database(), path.task_id, query.form)
    if body is None:
        status = found.state.status
        return problem(404, f"There is no text of this page: the task's status is {status.value}.", task_status=status)
    response = Response(body, mimetype=TEXT)
    response.set_etag(f"{path.task_id}-{query.form.value}")  # what was read of a page is written once
    response.make_conditional(request)
    return response


@blueprint.delete(
    "/text_tasks/<task_id>",
    operation_id="deleteTextTask",
    responses={204: answer("It is deleted."), **problems(404, 503)},
)
def delete(path: TextTaskPath) -> Response:
    """Cancel a task, and delete what was read of its page."""
    return page_tasks.delete(Kind.TEXT, path.task_id)


@blueprint.post(
    "/text_tasks/<task_id>/retry",
    operation_id="retryTextTask",
    responses={200: answer("The task, pending again if it failed.", TextTaskAnswer), **problems(404, 503)},
)
def retry(path: TextTaskPath) -> Response:
    """Try a task that failed again."""
    return as_json(TextTaskAnswer.of(page_tasks.retry(Kind.TEXT, path.task_id)))
