"""A task as JSON."""

from typing import Annotated
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.reasons import MEANINGS, Reason
from common.tally import Failures
from services.api.describing import Answer
from services.api.queries.tasks import Task
from services.api.schemas.members import TASK_ADDRESS, Address, Count, Moment, NextPage
from services.api.values import EXAMPLE_TASK


class FailuresAnswer(Answer):
    """Items that failed alike."""

    reason: Annotated[Reason, Field(examples=[Reason.HTTP_4XX])]
    status: Annotated[int | None, Field(description="The HTTP status, where there was one.", examples=[404])]
    count: Annotated[int, Field(ge=1, examples=[1])]
    meaning: Annotated[str, Field(description="The reason in words.", examples=[MEANINGS[Reason.HTTP_4XX]])]
    items: Annotated[Address, Field(examples=[f"{TASK_ADDRESS}/items?outcome=error&reason=http_4xx"])]

    @classmethod
    def of(cls, task_id: UUID, failures: Failures) -> "FailuresAnswer":
        """Write a row of a task's tally."""
        items = url_for("items.items", task_id=task_id, outcome="error", reason=failures.reason.value)
        meaning = MEANINGS[failures.reason]
        return cls(reason=failures.reason, status=failures.status, count=failures.count, meaning=meaning, items=items)


class TaskLinks(Answer):
    """Where there is more about a task."""

    self: Annotated[Address, Field(examples=[TASK_ADDRESS])]
    items: Annotated[Address, Field(examples=[f"{TASK_ADDRESS}/items"])]
    monitoring: Annotated[Address, Field(examples=[f"/monitoring?task={EXAMPLE_TASK}"])]


class TaskAnswer(Answer):
    """A task with its ledger: `total` is the sum of the four outcomes, at every moment."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_TASK])]
    name: Annotated[str | None, Field(examples=["cats"])]
    kind: Annotated[
        str, Field(description="What was handed in: `url`, or a page for its `images` or its `text`.", examples=["url"])
    ]
    page: Annotated[
        str | None,
        Field(description="Of a task of a web page: its URL. The counts are those of its images.", examples=[None]),
    ]
    refresh: Annotated[bool, Field(description="Whether known URLs are downloaded again.", examples=[False])]
    created_at: Moment
    published: Annotated[bool, Field(description="Whether all of its items are in the ledger.", examples=[True])]
    total: Annotated[Count, Field(examples=[4])]
    success: Annotated[Count, Field(description="Stored now.", examples=[2])]
    duplicate: Annotated[Count, Field(description="Stored already.", examples=[1])]
    error: Annotated[Count, Field(description="Failed, for a reason.", examples=[1])]
    pending: Annotated[Count, Field(description="No outcome yet.", examples=[0])]
    duplicates_known_by_url: Annotated[Count, Field(description="Those of the duplicates that were not downloaded.")]
    errors: Annotated[list[FailuresAnswer], Field(description="The errors by reason and HTTP status.")]
    finished_at: Annotated[Moment | None, Field(description="When the last item ended; null before that.")]
    images_per_second: Annotated[float | None, Field(examples=[1.5])]
    links: TaskLinks

    @classmethod
    def of(cls, task: Task) -> "TaskAnswer":
        """Write a task."""
        tally, speed = task.tally, task.images_per_second
        return cls(
            id=task.task_id,
            name=task.name,
            kind=task.kind,
            page=task.page_url,
            refresh=task.refresh,
            created_at=task.created_at,
            published=task.published,
            total=tally.total,
            success=tally.success,
            duplicate=tally.duplicate,
            error=tally.error,
            pending=tally.pending,
            duplicates_known_by_url=tally.known_by_url,
            errors=[FailuresAnswer.of(task.task_id, failures) for failures in tally.failures],
            finished_at=task.finished_at,
            images_per_second=None if speed is None else round(speed, 3),
            links=TaskLinks(
                self=url_for("url_tasks.task", task_id=task.task_id),
                items=url_for("items.items", task_id=task.task_id),
                monitoring=url_for("monitoring.page", task=task.task_id),
            ),
        )


class TasksAnswer(Answer):
    """Some of the tasks, newest first."""

    tasks: list[TaskAnswer]
    next: NextPage
