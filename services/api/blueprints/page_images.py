"""`/images_tasks/<id>/images` and `/archive`: the images of a page, one by one and all together."""

from enum import StrEnum
from typing import Annotated, ClassVar

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import Field
from werkzeug.exceptions import NotFound

from common.items import Outcome
from common.page_tasks import Kind
from common.reasons import Reason
from services.api.answers import as_json, linked, next_url
from services.api.archive_answer import ZIP, ArchiveQuery, send_archive
from services.api.blueprints.image_bytes import give_gray, give_original
from services.api.blueprints.images_tasks import ImagesTaskPath
from services.api.blueprints.page_tasks import missing
from services.api.cursors import LineCursor
from services.api.describing import UNCHANGED, answer, problems
from services.api.formats import MEDIA_TYPES
from services.api.inputs import Query
from services.api.queries.images import find_images
from services.api.queries.items import ItemFilter, items_of
from services.api.queries.page_tasks import gave_image, page_task_exists
from services.api.resources import database
from services.api.schemas.page_tasks import PageImageAnswer, PageImagesAnswer
from services.api.tags import WEB_PAGES
from services.api.values import Absent, Limit, Md5

blueprint = APIBlueprint("page_images", __name__, abp_tags=[WEB_PAGES])


class PageImagesQuery(Query):
    """Which images, and which page of them."""

    outcome: Annotated[Outcome | Absent, Field(description="Only the images that ended so.")] = None
    reason: Annotated[Reason | Absent, Field(description="Only the errors for this reason.")] = None
    limit: Limit = 50
    cursor: LineCursor = 0


class PageImagePath(ImagesTaskPath):
    """Which image of which task."""

    missing: ClassVar[str] = "There is no such task of a page, or no such image of it."

    md5: Md5


class ImageVariant(StrEnum):
    """Which bytes of an image."""

    ORIGINAL = "original"
    GRAY = "gray"


class PageImageQuery(Query):
    """Which of its bytes."""

    variant: Annotated[ImageVariant, Field(description="The bytes as received, or the gray PNG.")] = (
        ImageVariant.ORIGINAL
    )


@blueprint.get(
    "/images_tasks/<task_id>/images",
    operation_id="listPageImages",
    responses={
        200: answer("Images, in the order of the page.", PageImagesAnswer, headers=("Link",)),
        **problems(404, 422, 503),
    },
)
def images(path: ImagesTaskPath, query: PageImagesQuery) -> Response:
    """List the images that a page names, and how each stands."""
    _check(path)
    wanted = ItemFilter(query.outcome, query.reason)
    items, last_line = items_of(database(), path.task_id, wanted, query.limit, query.cursor)
    stored = find_images(database(), {item.end.md5 for item in items if item.end.md5 is not None})
    found = [PageImageAnswer.of_image(path.task_id, item, stored.get(item.end.md5 or "")) for item in items]
    following = next_url(query, last_line)
    return linked(as_json(PageImagesAnswer(images=found, next=following)), following)


@blueprint.get(
    "/images_tasks/<task_id>/images/<md5>",
    operation_id="getPageImage",
    responses={
        200: answer("The bytes.", *MEDIA_TYPES, headers=("ETag",)),
        304: UNCHANGED,
        **problems(404, 422, 503),
    },
)
def image(path: PageImagePath, query: PageImageQuery) -> Response:
    """Give an image of a page: its bytes as received, or its gray version."""
    _check(path)
    if not gave_image(database(), path.task_id, path.md5):
        raise NotFound("No image of this task has this MD5.")
    response = give_gray(path.md5) if query.variant is ImageVariant.GRAY else give_original(path.md5)
    response.headers["Cache-Control"] = "no-cache"  # the bytes never change, but the task may be deleted
    return response


@blueprint.get(
    "/images_tasks/<task_id>/archive",
    operation_id="getArchive",
    responses={
        200: answer(
            "`images/<md5>.<ending>` and `gray/<md5>.png`, each image once, and `manifest.jsonl` with a line for every "
            "image of the page, those that failed and those that are still pending, too.",
            ZIP,
        ),
        **problems(404, 422, 429, 503),
    },
)
def archive(path: ImagesTaskPath, query: ArchiveQuery) -> Response:
    """Give all images of a page that are there as a ZIP archive, made while it is sent."""
    _check(path)
    return send_archive(path.task_id, query.variant)


def _check(path: ImagesTaskPath) -> None:
    if not page_task_exists(database(), Kind.IMAGES, path.task_id):
        missing(Kind.IMAGES, path.task_id)
