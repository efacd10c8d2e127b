"""`/images_tasks`: the images of web pages, a task a page."""

from typing import Annotated, ClassVar

from flask import Response, url_for
from flask_openapi import APIBlueprint
from pydantic import Field

from common.page_tasks import Kind
from services.api.answers import as_json, linked, next_url
from services.api.blueprints import page_tasks
from services.api.blueprints.page_tasks import PageTasksQuery
from services.api.cursors import write_position
from services.api.describing import answer, problems
from services.api.inputs import Path
from services.api.page_submissions import REQUEST_BODY
from services.api.queries.page_tasks import newest_page_tasks
from services.api.resources import database, resources
from services.api.schemas.page_tasks import ImagesTaskAnswer, ImagesTasksAnswer
from services.api.tags import WEB_PAGES
from services.api.values import EXAMPLE_IMAGES_TASK, TaskId

LINKS = {"task": {"operationId": "getImagesTask", "parameters": {"task_id": "$response.body#/id"}}}
blueprint = APIBlueprint("images_tasks", __name__, abp_tags=[WEB_PAGES])


class ImagesTaskPath(Path):
    """Which task."""

    missing: ClassVar[str] = page_tasks.UNKNOWN

    task_id: Annotated[TaskId, Field(examples=[EXAMPLE_IMAGES_TASK])]


@blueprint.post(
    "/images_tasks",
    operation_id="submitPageForImages",
    request_body=REQUEST_BODY,
    responses={
        200: answer("The task that the page has already; it is tried again if it failed.", ImagesTaskAnswer),
        201: answer("A new task.", ImagesTaskAnswer, headers=("Location",), links=LINKS),
        **problems(413, 415, 422, 503),
    },
)
def create() -> Response:
    """Hand in a page whose images are wanted."""
    submitted = page_tasks.submit(Kind.IMAGES)
    response = as_json(ImagesTaskAnswer.of(submitted.task), submitted.status)
    if submitted.status == 201:
        response.headers["Location"] = url_for(".task", task_id=submitted.task.task_id)
    return response


@blueprint.get(
    "/images_tasks",
    operation_id="listImagesTasks",
    responses={200: answer("Tasks, newest first.", ImagesTasksAnswer, headers=("Link",)), **problems(422, 503)},
)
def newest(query: PageTasksQuery) -> Response:
    """List the tasks of pages' images, newest first."""
    page = newest_page_tasks(database(), Kind.IMAGES, resources().recent_tallies, query.limit, query.cursor)
    following = next_url(query, write_position(page.next))
    tasks = [ImagesTaskAnswer.of(task) for task in page.entries]
    return linked(as_json(ImagesTasksAnswer(tasks=tasks, next=following)), following)


@blueprint.get(
    "/images_tasks/<task_id>",
    operation_id="getImagesTask",
    responses={200: answer("The task as it stands.", ImagesTaskAnswer), **problems(404, 503)},
)
def task(path: ImagesTaskPath) -> Response:
    """Tell how a task of a page's images stands."""
    return as_json(ImagesTaskAnswer.of(page_tasks.find(Kind.IMAGES, path.task_id)))


@blueprint.delete(
    "/images_tasks/<task_id>",
    operation_id="deleteImagesTask",
    responses={204: answer("It is deleted."), **problems(404, 503)},
)
def delete(path: ImagesTaskPath) -> Response:
    """Cancel what is pending of a task, and let go of its images: those that no other task has are gone."""
    return page_tasks.delete(Kind.IMAGES, path.task_id)


@blueprint.post(
    "/images_tasks/<task_id>/retry",
    operation_id="retryImagesTask",
    responses={200: answer("The task, with what failed pending again.", ImagesTaskAnswer), **problems(404, 503)},
)
def retry(path: ImagesTaskPath) -> Response:
    """Try again what of a task failed: the page, or its images."""
    return as_json(ImagesTaskAnswer.of(page_tasks.retry(Kind.IMAGES, path.task_id)))
