"""The items behind a bar of the histogram as JSON."""

from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from services.api.describing import Answer
from services.api.queries.ended import EndedItem
from services.api.schemas.items import ItemAnswer
from services.api.schemas.members import TASK_ADDRESS, Address, NextPage
from services.api.values import EXAMPLE_TASK


class EndedItemLinks(Answer):
    """Where the item's task is."""

    task: Annotated[Address, Field(examples=[TASK_ADDRESS])]


class EndedItemAnswer(Answer):
    """An item behind a bar."""

    task: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    item: ItemAnswer
    links: EndedItemLinks

    @classmethod
    def of(cls, ended: EndedItem) -> "EndedItemAnswer":
        """Write an item."""
        links = EndedItemLinks(task=url_for("url_tasks.task", task_id=ended.task_id))
        return cls(task=ended.task_id, item=ItemAnswer.of_item(ended.item), links=links)


class EndedItemsAnswer(Answer):
    """Some of the items behind a bar, latest first."""

    items: list[EndedItemAnswer]
    next: Annotated[NextPage, Field(examples=["/monitoring/items?cursor=…"])]
