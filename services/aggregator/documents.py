"""What the join reads and writes, as documents and as a line of the log."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Int64

from common.database import Document
from common.facts import HISTOGRAM, ImageGrayscaled, ItemFailed, ItemKnown
from common.file_names import file_name
from common.items import Item, Outcome
from common.multi_index import band_keys
from common.steps import took_ms


@dataclass(frozen=True, slots=True)
class Pair:
    """Both halves of a download whose item is claimed for it."""

    gray: ImageGrayscaled
    md5: str
    length_bytes: int


def stored(pair: Pair, owner: UUID) -> Document:
    """Tell how an item ends whose image is stored under the message id `owner`."""
    gave = image_of(pair.gray.item, pair.md5)
    if owner == pair.gray.message_id:
        return {"outcome": Outcome.SUCCESS.value, **gave}
    return {"outcome": Outcome.DUPLICATE.value, **gave, "known_by": "md5"}


def known(fact: ItemKnown) -> Document:
    """Tell how an item ends whose image another task has stored."""
    return {"outcome": Outcome.DUPLICATE.value, **image_of(fact.item, fact.md5), "known_by": "url"}


def image_of(item: Item, md5: str) -> Document:
    """Tell which image an item gave, and the file name that it is looked up by."""
    name = file_name(item.url)
    return {"md5": md5} if name is None else {"md5": md5, "file_name": name}


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
        "histogram": HISTOGRAM.pack(*gray.histogram),
        **_hashed(gray),
    }


def _hashed(gray: ImageGrayscaled) -> Document:
    """Give the fields by which near-duplicates are found; of an image without a hash, none."""
    if gray.perceptual_hash is None:
        return {}
    return {"perceptual_hash": Int64(gray.perceptual_hash), "perceptual_bands": band_keys(gray.perceptual_hash)}


def failure(fact: ItemFailed) -> Document:
    """Tell how a failed item ends."""
    why: Document = {"reason": fact.reason.value, "detail": fact.detail, "stage": fact.stage, "attempts": fact.attempts}
    return {"outcome": Outcome.ERROR.value, **(why if fact.status is None else {**why, "status": fact.status})}


def took(item: Item, now: datetime) -> Document:
    """Tell how long each stage took, where the messages said when."""
    durations_ms = took_ms(item.steps, int(now.timestamp() * 1000))
    return {} if durations_ms is None else {"took_ms": durations_ms}


def half_document(fact: ImageGrayscaled, now: datetime) -> Document:
    """Put a gray version into a document until its hash comes."""
    fields: dict[str, Any] = {
        name: getattr(fact, name) for name in ("width", "height", "format", "mode", "orientation")
    }
    if fact.perceptual_hash is not None:
        fields["perceptual_hash"] = Int64(fact.perceptual_hash)
    histogram = HISTOGRAM.pack(*fact.histogram)
    return {
        "_id": fact.message_id,
        "first_at": now,
        "item": asdict(fact.item),
        "png": fact.png,
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
        document.get("perceptual_hash"),  # none in a half that was put aside before there were any
    )


def log_line(item: Item, end: Document) -> str:
    """Say an item's outcome in a line, which its ids follow."""
    words = [
        f"{name}={end[name]}" for name in ("md5", "known_by", "reason", "status", "stage", "attempts") if name in end
    ]
    return " ".join([end["outcome"], *words, f"url={item.url}"])
