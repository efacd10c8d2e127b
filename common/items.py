"""Items and their identities: pure values, the same in every service."""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from uuid import UUID, uuid5

from common.steps import Steps

TASK_BYTES = 11
"""How much of a task's id its items' ids keep: 82 random bits, beside 40 bits for the line's number."""


class Outcome(StrEnum):
    """How an item ended, or that it has not yet."""

    PENDING = "pending"
    SUCCESS = "success"
    DUPLICATE = "duplicate"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Item:
    """One URL of a task. `round` counts how often a person had it tried again after an error.

    `steps` are the moments of its way so far; they say nothing about which item it is.
    """

    task_id: UUID
    item_id: UUID
    url: str
    round: int = 0
    steps: Steps = field(default=(), compare=False, repr=False)


def item_id(task_id: UUID, line: int) -> UUID:
    """Give the id of the item on a task's line (from 1): always the same, and in the lines' order when sorted.

    Publishing a task again therefore names the same items, and a task's items lie together in the index. A task that
    began with a page has that page on line 0.
    """
    return UUID(bytes=task_id.bytes[:TASK_BYTES] + line.to_bytes(16 - TASK_BYTES, "big"))


def line_of(item: UUID) -> int:
    """Give the line that an item's id was made for."""
    return int.from_bytes(item.bytes[TASK_BYTES:], "big")


def item_id_range(task_id: UUID) -> tuple[UUID, UUID]:
    """Give the least and the greatest id that an item of the task can have."""
    return item_id(task_id, 0), item_id(task_id, 256 ** (16 - TASK_BYTES) - 1)


def download_id(item: Item, body: bytes) -> UUID:
    """Give the message id of a download, bound to its bytes.

    A redelivered URL is downloaded again, and the site may answer with other bytes; these are then another
    message, so that the MD5 of one download is never paired with the gray of the other.
    """
    return uuid5(item.item_id, f"{item.round}:{sha256(body).hexdigest()}")
