"""What the join reads and writes, as documents and as a line of the log."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Binary

from common.database import Document
from common.facts import HISTOGRAM, ImageGrayscaled, ItemFailed
from common.items import Item, Outcome


@dataclass(frozen=True, slots=True)
class Pair:
    """Both halves of a download whose item is claimed for it."""

    gray: ImageGrayscaled
    md5: str
    length_bytes: int


def stored(pair: Pair, owner: UUID) -> Document:
    """Tell how an item ends whose image is stored under the message id `owner`."""
    if owner == pair.gray.message_id:
        return {"outcome": Outcome.SUCCESS.value, "md5": pair.md5}
    return {"outcome": Outcome.DUPLICATE.value, "md5": pair.md5, "known_by": "md5"}


def image_document(pair: Pair, now: datetime) -> Document:
    """Describe a new image."""
    gray = pair.gray
    return {
        "_id": pair.md5,
        "message_id": gray.message_id,
        "item_id": gray.item.item_id,
        "task_id": gray.item.task_id,
        "url": gray.item.url,
        "width": gray.width,
        "height": gray.height,
        "length_bytes": pair.length_bytes,
        "gray_bytes": len(gray.png),
        "format": gray.format,
        "mode": gray.mode,
        "orientation": gray.orientation,
        "inserted_at": now,
        "histogram": Binary(HISTOGRAM.pack(*gray.histogram)),
    }


def failure(fact: ItemFailed) -> Document:
    """Tell how a failed item ends."""
    why: Document = {"reason": fact.reason.value, "detail": fact.detail, "stage": fact.stage, "attempts": fact.attempts}
    return {"outcome": Outcome.ERROR.value, **(why if fact.status is None else {**why, "status": fact.status})}


def half_document(fact: ImageGrayscaled, now: datetime) -> Document:
    """Put a gray version into a document until its hash comes."""
    fields: dict[str, Any] = {
        name: getattr(fact, name) for name in ("width", "height", "format", "mode", "orientation")
    }
    histogram = Binary(HISTOGRAM.pack(*fact.histogram))
    return {
        "_id": fact.message_id,
        "first_at": now,
        "item": asdict(fact.item),
        "png": Binary(fact.png),
        "histogram": histogram,
        **fields,
    }


def gray_from(document: Document) -> ImageGrayscaled:
    """Read back what `half_document` wrote."""
    return ImageGrayscaled(
        Item(**document["item"]),
        document["_id"],
        document["png"],
        document["width"],
        document["height"],
        document["format"],
        document["mode"],
        document["orientation"],
        HISTOGRAM.unpack(document["histogram"]),
    )


def log_line(item: Item, end: Document) -> str:
    """Say an item's outcome in a line."""
    words = [f"{end['outcome']} item_id={item.item_id} task_id={item.task_id}"]
    words += [
        f"{name}={end[name]}" for name in ("md5", "known_by", "reason", "status", "stage", "attempts") if name in end
    ]
    return " ".join([*words, f"url={item.url}"])
