"""What an export tells of an image and of a task's line, and as which JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.instants import write_instant


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image; `md5` is of its bytes as received. `url` is one that it was found under.

    `perceptual_hash` is 63 bits as 16 hexadecimal digits, None of an image that has too little in it.
    """

    md5: str
    url: str
    width: int
    height: int
    length_bytes: int
    gray_bytes: int
    format: str
    mode: str
    orientation: int
    perceptual_hash: str | None
    inserted_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Give the metadata that stands beside the image's bytes."""
        return {"md5": self.md5, "url": self.url, **facts_of(self)}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a task and how it stands; `md5` is None when it has no image."""

    number: int
    url: str
    outcome: str
    reason: str | None
    status: int | None
    detail: str | None
    finished_at: datetime | None
    md5: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image's bytes are: files relative to the export's directory, and its key where they hold several."""

    file: str | None = None
    gray_file: str | None = None
    key: str | None = None


FACTS = ("width", "height", "length_bytes", "gray_bytes", "format", "mode", "orientation", "perceptual_hash")


def facts_of(image: Image | None) -> dict[str, Any]:
    """Give what is known of the image itself; of no image, the same names with nothing."""
    facts: dict[str, Any] = {name: getattr(image, name, None) for name in FACTS}
    return {**facts, "inserted_at": write_instant(image.inserted_at) if image else None}


def entry(line: Line | None, image: Image | None, place: Place, near_duplicate_of: str | None = None) -> dict[str, Any]:
    """Give one line of the manifest, of a task's line or of an image alone: always the same names.

    An image that was left out for a near-duplicate has that one's MD5, and no place.
    """
    return {
        "line": line.number if line else None,
        "url": line.url if line else image and image.url,
        "outcome": line.outcome if line else "success",
        "reason": line.reason if line else None,
        "status": line.status if line else None,
        "detail": line.detail if line else None,
        "finished_at": write_instant(line.finished_at) if line and line.finished_at else None,
        "md5": line.md5 if line else image and image.md5,
        **facts_of(image),
        "file": place.file,
        "gray_file": place.gray_file,
        "key": place.key,
        "near_duplicate_of": near_duplicate_of,
    }
