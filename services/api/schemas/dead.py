"""Dead letters as JSON."""

from typing import Annotated, Any
from uuid import UUID

from flask import url_for
from pydantic import Field

from common.dead_letters import DeadLetter
from common.replaying import Replayed, obstacle
from services.api.describing import Answer
from services.api.schemas.members import TASK_ADDRESS, WHERE_THERE_IS_ONE, Address, Count, Moment, NextPage
from services.api.values import EXAMPLE_LETTER, EXAMPLE_TASK, Absent

LETTER_ADDRESS = f"/dead/{EXAMPLE_LETTER}"


class DeadLetterLinks(Answer):
    """Where the letter is, and the task that it names."""

    self: Annotated[Address, Field(examples=[LETTER_ADDRESS])]
    task: Annotated[Address | Absent, WHERE_THERE_IS_ONE, Field(examples=[TASK_ADDRESS])] = None


class DeadLetterAnswer(Answer):
    """A message that no worker could handle."""

    id: Annotated[UUID, Field(examples=[EXAMPLE_LETTER])]
    at: Annotated[Moment, Field(description="When it was set aside.")]
    queue: Annotated[str, Field(description="Which it came from.", examples=["grayscaler"])]
    reason: Annotated[
        str, Field(description="What went wrong.", examples=["delivered too often without an answer from grayscaler"])
    ]
    type: Annotated[str, Field(description="What it tells.", examples=["image.fetched"])]
    message_id: Annotated[str, Field(examples=[EXAMPLE_TASK])]
    content_type: Annotated[str, Field(examples=["image/png"])]
    size_bytes: Annotated[Count, Field(description="Of its body.", examples=[1_024])]
    item: Annotated[UUID | None, Field(description="Which it is about, as its headers say.", examples=[None])]
    task: Annotated[UUID | None, Field(description="The task of that item.", examples=[None])]
    obstacle: Annotated[
        str | None, Field(description="Why it cannot be put back; null when it can be.", examples=[None])
    ]
    headers: Annotated[
        dict[str, Any],
        Field(
            description="All of its headers, the broker's `x-death` among them; bytes in hexadecimal digits.",
            examples=[{"attempt": 1}],
        ),
    ]
    links: DeadLetterLinks

    @classmethod
    def of(cls, letter: DeadLetter) -> "DeadLetterAnswer":
        """Write a letter."""
        task = None if letter.task_id is None else url_for("url_tasks.task", task_id=letter.task_id)
        return cls(
            id=letter.letter_id,
            at=letter.at,
            queue=letter.queue,
            reason=letter.reason,
            type=letter.type,
            message_id=letter.message_id,
            content_type=letter.content_type,
            size_bytes=letter.size_bytes,
            item=letter.item_id,
            task=letter.task_id,
            obstacle=obstacle(letter),
            headers=letter.readable_headers,
            links=DeadLetterLinks(self=url_for("dead.letter", letter_id=letter.letter_id), task=task),
        )


class DeadLettersAnswer(Answer):
    """Some of the letters, the newest first."""

    count: Annotated[Count, Field(description="So many there are altogether.", examples=[1])]
    letters: list[DeadLetterAnswer]
    next: Annotated[NextPage, Field(examples=["/dead?cursor=…"])]


class ReplayAnswer(Answer):
    """What was put back."""

    replayed: Annotated[Count, Field(description="So many are in their queues again.", examples=[1])]
    refused: Annotated[Count, Field(description="So many cannot be put back; each has an `obstacle`.")]
    left: Annotated[Count, Field(description="So many were not reached within one request; ask again.")]
    ended: Annotated[
        Count,
        Field(description="So many of those put back are about items that have their outcomes, and will keep them."),
    ]
    tasks: Annotated[
        list[UUID], Field(description="The tasks of these items: a retry is what tries them again.", examples=[[]])
    ]

    @classmethod
    def of(cls, done: Replayed) -> "ReplayAnswer":
        """Write it."""
        tasks = sorted(done.tasks, key=str)
        return cls(replayed=done.replayed, refused=done.refused, left=done.left, ended=done.ended, tasks=tasks)


class PurgeAnswer(Answer):
    """What was thrown out."""

    purged: Annotated[Count, Field(description="So many letters.", examples=[1])]
