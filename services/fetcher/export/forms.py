"""The forms that an export can have, as one kind of thing to the run."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from common.manifest import Image, Place
from services.fetcher.export.directory import Directory
from services.fetcher.export.folder import Folder
from services.fetcher.export.parquet import Parquet
from services.fetcher.export.pixels import Pixels
from services.fetcher.export.plan import Format, Plan, Shard
from services.fetcher.export.state import Finished
from services.fetcher.export.tar import Tar


class Form(Protocol):
    """Writes shards, and knows where everything is."""

    def place(self, image: Image, rank: int) -> Place:
        """Give where the bytes of the image of this rank are."""

    def write(self, directory: Directory, shard: Shard, batches: Iterable[Sequence[Pixels]]) -> Finished:
        """Write a shard, whatever is left of an earlier attempt."""

    def is_whole(self, directory: Directory, finished: Finished, images: Iterable[Image]) -> bool:
        """Tell whether a shard that was finished is still there; these are its images."""


def form_of(plan: Plan) -> Form | None:
    """Give the form of a plan, None when it has no bytes. Raises CannotExport when a package is not installed."""
    match plan.format:
        case Format.FOLDER:
            return Folder(plan)
        case Format.WEBDATASET:
            return Tar(plan)
        case Format.PARQUET:
            return Parquet(plan)
        case Format.JSONL:
            return None
