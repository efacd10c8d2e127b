"""What is tried again, as JSON."""

from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.reasons import Reason
from services.api.describing import Answer
from services.api.inputs import Body
from services.api.retrying import Retried
from services.api.schemas.members import TASK_ADDRESS, Address, Count


class Reasons(Body):
    """Which errors to try again."""

    reasons: Annotated[list[Reason], Field(min_length=1, max_length=len(Reason), examples=[[Reason.TIMEOUT]])]


class RetryLinks(Answer):
    """Where to see what becomes of it."""

    task: Annotated[Address, Field(examples=[TASK_ADDRESS])]


class RetryAnswer(Answer):
    """What is tried again now."""

    reopened: Annotated[Count, Field(description="So many items are pending again.", examples=[3])]
    left: Annotated[
        Count, Field(description="So many more could not be reopened within one request; ask again.", examples=[0])
    ]
    links: RetryLinks

    @classmethod
    def of(cls, task_id: UUID, retried: Retried) -> "RetryAnswer":
        """Write it."""
        links = RetryLinks(task=url_for("url_tasks.task", task_id=task_id))
        return cls(reopened=retried.reopened, left=retried.left, links=links)
