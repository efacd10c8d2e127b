"""An export as it was asked for, and the shards that it comes in."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.fetcher.export.selection import Selection

SHARD_SIZE = 1_000
VERSION = 2
"""Of what is in the directory; another one is not continued."""


class Format(StrEnum):
    """The form in which images are written."""

    FOLDER = "folder"
    WEBDATASET = "webdataset"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Variant(StrEnum):
    """Which bytes of an image are written: as received, gray, or both."""

    ORIGINAL = "original"
    GRAY = "gray"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Shard:
    """So many images, of ranks from `first` (from 0) in the order of their MD5, that are finished together."""

    number: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What is exported and how; `variant` is None when no bytes are.

    With `one_per_group`, images whose perceptual hashes are within that distance are near-duplicates, and one is kept.
    """

    selection: Selection
    format: Format
    variant: Variant | None
    shard_size: int
    one_per_group: int | None = None

    @classmethod
    def of(
        cls,
        selection: Selection,
        form: Format,
        variant: Variant,
        shard_size: int,
        one_per_group: int | None = None,
    ) -> "Plan":
        """Make the plan; leave out what says nothing for the format, so that it makes no difference."""
        return cls(
            selection,
            form,
            None if form is Format.JSONL else variant,
            shard_size if form in (Format.WEBDATASET, Format.PARQUET) else SHARD_SIZE,
            one_per_group,
        )

    @property
    def wants_originals(self) -> bool:
        """Tell whether the bytes as received are written."""
        return self.variant in (Variant.ORIGINAL, Variant.BOTH)

    @property
    def wants_grays(self) -> bool:
        """Tell whether gray versions are written."""
        return self.variant in (Variant.GRAY, Variant.BOTH)

    def shards(self, images: int) -> Iterator[Shard]:
        """Give the shards of so many images."""
        for number, first in enumerate(range(0, images, self.shard_size)):
            yield Shard(number, first, min(self.shard_size, images - first))

    def as_json(self) -> dict[str, Any]:
        """Give what tells this export from every other."""
        return {
            "export": VERSION,
            **self.selection.as_json(),
            "format": self.format.value,
            "variant": self.variant and self.variant.value,
            "shard_size": self.shard_size,
            "one_per_group": self.one_per_group,
        }

    def __str__(self) -> str:
        return f"{self.selection} as {self.format}{f' ({self.variant})' if self.variant else ''}"
