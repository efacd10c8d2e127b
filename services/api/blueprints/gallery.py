"""`/images`: the stored images, newest first, as a list or as a gallery; without a pixel larger than a thumbnail's."""

from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Annotated, Any

from flask import Response, redirect, url_for
from flask_openapi import APIBlueprint
from pydantic import AfterValidator, Field
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from common.hosts import MOST_CHARACTERS
from services.api.answers import linked, negotiated, next_url, wants_html
from services.api.cursors import ImageCursor, write_position
from services.api.describing import HTML, answer, problems
from services.api.inputs import Query
from services.api.queries.gallery import Wanted, gallery
from services.api.queries.scope import Scope
from services.api.queries.tasks import task_exists
from services.api.resources import database
from services.api.schemas.images import ImageAnswer, ImagesAnswer
from services.api.tags import IMAGES, PAGES
from services.api.values import DIGITS, Absent, Day, Limit, OptionalFormat, TaskId

MOST_PIXELS = 1_000_000
blueprint = APIBlueprint("gallery", __name__)

Pixels = Annotated[int, Field(ge=1, le=MOST_PIXELS, description="In pixels.", examples=[1]), DIGITS]


class ImageFormat(StrEnum):
    """The formats that are decoded."""

    PNG = "PNG"
    JPEG = "JPEG"
    MPO = "MPO"
    GIF = "GIF"
    WEBP = "WEBP"
    BMP = "BMP"
    TIFF = "TIFF"


class ImagesQuery(Query):
    """Which images, and which page of them."""

    task: Annotated[TaskId | Absent, Field(description="Only images that items of this task gave.")] = None
    host: Annotated[
        Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(lambda host: host.strip().lower() or None)]
        | Absent,
        Field(description="Only images that were found at this host.", examples=["images.example.com"]),
    ] = None
    min_width: Pixels | Absent = None
    max_width: Pixels | Absent = None
    min_height: Pixels | Absent = None
    max_height: Pixels | Absent = None
    format_is: Annotated[ImageFormat | Absent, Field(description="Only images received in this format.")] = None
    since: Annotated[Day | Absent, Field(description="Only images stored on this day (UTC) or later.")] = None
    until: Annotated[Day | Absent, Field(description="Only images stored on this day (UTC) or earlier.")] = None
    limit: Limit = 50
    cursor: ImageCursor | Absent = None
    format: OptionalFormat = None

    def wanted(self) -> Wanted:
        """Give which images are meant. Raises NotFound."""
        if self.task is not None and not task_exists(database(), self.task):
            raise NotFound("There is no task with this id.")
        return Wanted(
            scope=Scope(self.task, self.host),
            min_width=self.min_width,
            max_width=self.max_width,
            min_height=self.min_height,
            max_height=self.max_height,
            format=self.format_is,
            since=None if self.since is None else datetime.combine(self.since, time.min, UTC),
            until=None if self.until is None else datetime.combine(self.until, time.max, UTC),
        )

    def asked(self, *left_out: str) -> dict[str, Any]:
        """Give what was asked for, as the arguments of a link to the same."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude=set(left_out))


@blueprint.get(
    "/images",
    tags=[IMAGES],
    operation_id="listImages",
    responses={
        200: answer(
            "Images, newest first: as they were stored, or of a task or a host as they were found. For each page a "
            "bounded number is looked at, so it may have fewer images than the limit, even none, and yet a next one.",
            ImagesAnswer,
            HTML,
            headers=("Link",),
        ),
        **problems(404, 422, 503),
    },
)
def newest(query: ImagesQuery) -> Response:
    """List images, newest first."""
    page = gallery(database(), query.wanted(), query.limit, query.cursor)
    following = next_url(query, write_position(page.next))
    response = negotiated(
        ImagesAnswer(images=[ImageAnswer.of(image) for image in page.entries], next=following),
        "gallery.html",
        query.format,
        images=page.entries,
        asked=query.asked("cursor", "limit", "format"),
        wanted=query,
        after=query.cursor,
        following=following,
        formats=list(ImageFormat),
    )
    return linked(response, following)


@blueprint.get(
    "/gallery",
    tags=[PAGES],
    operation_id="showGallery",
    responses={302: answer("Where the gallery is.", HTML, headers=("Location",)), **problems(422)},
)
def show(query: ImagesQuery) -> AnyResponse:
    """Lead to the images as a page."""
    asked = query.asked("cursor")
    return redirect(url_for(".newest", **(asked if wants_html(None) else {**asked, "format": "html"})))
