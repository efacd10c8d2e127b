"""What is known about a stored image, as JSON."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.items import Outcome
from services.api.describing import Answer
from services.api.queries.images import MOST_URLS, Finding, StoredImage
from services.api.schemas.members import TASK_ADDRESS, WHERE_THERE_IS_ONE, Address, ImageMd5, Moment, NextPage
from services.api.values import EXAMPLE_MD5, EXAMPLE_TASK, Absent


class ImageLinks(Answer):
    """Where an image's bytes are; `original` only where they are kept, and only in the answer about one image."""

    self: Annotated[Address, Field(examples=[f"/images/{EXAMPLE_MD5}"])]
    gray: Annotated[Address, Field(examples=[f"/image/{EXAMPLE_MD5}"])]
    thumbnail: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"/image/{EXAMPLE_MD5}/thumbnail"])] = (
        None
    )
    original: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"/image/{EXAMPLE_MD5}/original"])] = None


class ImageAnswer(Answer):
    """An image's metadata."""

    md5: ImageMd5
    url: Annotated[str | None, Field(description="Where it was first found.", examples=["https://example.com/cat.jpg"])]
    width: Annotated[int, Field(ge=1, description="In pixels.", examples=[640])]
    height: Annotated[int, Field(ge=1, description="In pixels.", examples=[480])]
    length_bytes: Annotated[int, Field(ge=0, description="As received.", examples=[48_213])]
    gray_bytes: Annotated[int, Field(ge=0, description="Of the gray version, a PNG.", examples=[91_007])]
    format: Annotated[str, Field(description="As decoded, whatever the server called it.", examples=["JPEG"])]
    mode: Annotated[str, Field(description="Pillow's name of the pixels' form.", examples=["RGB"])]
    orientation: Annotated[int, Field(description="As EXIF counts it; it is not applied.", examples=[1])]
    inserted_at: Moment
    links: ImageLinks

    @classmethod
    def of(cls, image: StoredImage) -> "ImageAnswer":
        """Write an image's metadata."""
        return cls(**asdict(image), links=_links(image.md5, original=False))


class FindingLinks(Answer):
    """Where the item's task is."""

    task: Annotated[Address, Field(examples=[TASK_ADDRESS])]


class FindingAnswer(Answer):
    """An item that gave the image."""

    url: Annotated[str, Field(examples=["https://example.com/cat.jpg"])]
    item: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    task: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    outcome: Annotated[Outcome, Field(examples=[Outcome.SUCCESS])]
    finished_at: Moment | None
    links: FindingLinks

    @classmethod
    def of(cls, finding: Finding) -> "FindingAnswer":
        """Write an item that gave the image."""
        return cls(
            url=finding.url,
            item=finding.item_id,
            task=finding.task_id,
            outcome=finding.outcome,
            finished_at=finding.finished_at,
            links=FindingLinks(task=url_for("url_tasks.task", task_id=finding.task_id)),
        )


class FoundImageAnswer(ImageAnswer):
    """An image's metadata, and where it was found."""

    urls: Annotated[list[FindingAnswer], Field(description=f"Up to {MOST_URLS:,} of them.")]
    urls_more: Annotated[bool, Field(description="Whether there are more.", examples=[False])]
    urls_next: Annotated[NextPage, Field(description="Where they are; null when there are no more.", examples=[None])]

    @classmethod
    def of_found(
        cls, image: StoredImage, found: Iterable[Finding], *, following: str | None, original: bool
    ) -> "FoundImageAnswer":
        """Write an image's metadata with the items that gave it."""
        return cls(
            **asdict(image),
            links=_links(image.md5, original=original),
            urls=[FindingAnswer.of(finding) for finding in found],
            urls_more=following is not None,
            urls_next=following,
        )


class ImagesAnswer(Answer):
    """Some of the images, newest first."""

    images: list[ImageAnswer]
    next: NextPage


def _links(md5: str, *, original: bool) -> ImageLinks:
    return ImageLinks(
        self=url_for("images.metadata", md5=md5),
        gray=url_for("image_bytes.gray", md5=md5),
        thumbnail=url_for("image_bytes.thumbnail", md5=md5),
        original=url_for("image_bytes.original", md5=md5) if original else None,
    )
