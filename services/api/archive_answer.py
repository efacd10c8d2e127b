"""A task's archive as an answer."""

from typing import Annotated
from uuid import UUID

from flask import Response
from pydantic import Field
from werkzeug.exceptions import ServiceUnavailable

from services.api.archive import Archive, Variant
from services.api.inputs import Query
from services.api.resources import database, resources

ZIP = "application/zip"
MOST_LINES = 20_000
"""Of a task that has an archive: what the manifest tells of them is held in memory until the images are sent."""
TOO_MANY = "As many archives as may be are being made just now; try again in a few seconds."
AGAIN_SECONDS = 5


class ArchiveQuery(Query):
    """Which bytes of each image."""

    variant: Annotated[Variant, Field(description="The bytes as received, the gray PNG, or both.")] = Variant.ORIGINAL


def send_archive(task_id: UUID, variant: Variant) -> Response:
    """Answer with the archive, made while it is sent. Raises ServiceUnavailable while too many others are."""
    room = resources().archives
    if not room.acquire(blocking=False):
        raise ServiceUnavailable(TOO_MANY, retry_after=AGAIN_SECONDS)
    response = Response(Archive(database(), task_id, variant).pieces(), mimetype=ZIP)
    response.call_on_close(room.release)
    response.headers["Content-Disposition"] = f'attachment; filename="images-{task_id}.zip"'
    return response
