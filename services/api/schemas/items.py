"""The items of a task as JSON."""

from dataclasses import fields
from typing import Annotated, Any
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.items import Outcome
from common.reasons import MEANINGS, Reason
from services.api.describing import Answer
from services.api.queries.items import End, LedgerItem
from services.api.schemas.members import TASK_ADDRESS, WHERE_THERE_IS_ONE, Address, ImageMd5, Moment, NextPage
from services.api.values import EXAMPLE_MD5, EXAMPLE_TASK, Absent


class EndAnswer(Answer):
    """How a round of an item ended."""

    round: Annotated[int, Field(ge=0, description="How often it had been tried again by hand.", examples=[0])]
    outcome: Annotated[Outcome, Field(examples=[Outcome.SUCCESS])]
    md5: Annotated[ImageMd5 | None, Field(description="Of the image, where it gave one.")]
    known_by: Annotated[
        str | None, Field(description="Of a duplicate: whether its URL or its MD5 was known.", examples=[None])
    ]
    reason: Annotated[Reason | None, Field(description="Of an error.", examples=[None])]
    meaning: Annotated[str | None, Field(description="The reason in words.", examples=[None])]
    status: Annotated[int | None, Field(description="The HTTP status, where there was one.", examples=[None])]
    detail: Annotated[str | None, Field(description="What exactly went wrong.", examples=[None])]
    stage: Annotated[str | None, Field(description="The service that it failed in.", examples=[None])]
    attempts: Annotated[int | None, Field(description="How often it was asked for.", examples=[None])]
    finished_at: Annotated[Moment | None, Field(description="When it ended; null while it is pending.")]

    @classmethod
    def of(cls, end: End) -> "EndAnswer":
        """Write how a round ended."""
        return cls(**end_members(end))


class ItemLinks(Answer):
    """Where the image is; of an item without one, there are none."""

    image: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"/image/{EXAMPLE_MD5}"])] = None
    metadata: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[f"/images/{EXAMPLE_MD5}"])] = None


class ItemAnswer(EndAnswer):
    """One line of a task, and how it stands."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    line: Annotated[int, Field(ge=0, description="From 1; 0 is the page that a task began with.", examples=[1])]
    url: Annotated[str, Field(examples=["https://example.com/cat.png"])]
    history: Annotated[list[EndAnswer], Field(description="How earlier rounds ended.", examples=[[]])]
    links: ItemLinks

    @classmethod
    def of_item(cls, item: LedgerItem) -> "ItemAnswer":
        """Write an item."""
        md5 = item.end.md5
        return cls(
            **end_members(item.end),
            id=item.item_id,
            line=item.line,
            url=item.url,
            history=[EndAnswer.of(end) for end in item.history],
            links=ItemLinks() if md5 is None else _links(md5),
        )


class ItemsAnswer(Answer):
    """Some of the items, in the order of their lines."""

    items: list[ItemAnswer]
    next: Annotated[NextPage, Field(examples=[f"{TASK_ADDRESS}/items?cursor=50"])]


def end_members(end: End) -> dict[str, Any]:
    """Give the members that tell how a round ended."""
    members = {field.name: getattr(end, field.name) for field in fields(end)}
    return {**members, "meaning": MEANINGS[end.reason] if end.reason else None}


def _links(md5: str) -> ItemLinks:
    return ItemLinks(image=url_for("image_bytes.gray", md5=md5), metadata=url_for("images.metadata", md5=md5))
