"""The bytes of images, read from MongoDB in batches that are bounded in bytes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from common.database import Database, unavailability
from common.manifest import Image
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.plan import Plan

BATCH_BYTES = 8 * 1024 * 1024
BATCH_IMAGES = 500


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image with those of its bytes that are wanted."""

    image: Image
    original: bytes | None
    gray: bytes | None

    @property
    def length_bytes(self) -> int:
        """Count the bytes."""
        return len(self.original or b"") + len(self.gray or b"")


class PixelReader:
    """Reads the variants that a plan wants."""

    def __init__(self, database: Database, plan: Plan) -> None:
        self._database = database
        self._plan = plan

    def read(self, images: Iterable[Image]) -> Iterator[list[Pixels]]:
        """Give the images with their bytes, in their order. Raises CannotExport when some are not there any more."""
        for batch in batches(images, self._plan):
            originals = self._read("originals", "body", batch) if self._plan.wants_originals else {}
            grays = self._read("grays", "png", batch) if self._plan.wants_grays else {}
            yield [Pixels(image, originals.get(image.md5), grays.get(image.md5)) for image in batch]

    def _read(self, collection: str, field: str, batch: Sequence[Image]) -> dict[str, bytes]:
        ids = {"$in": [image.md5 for image in batch]}
        with unavailability():
            found = {
                document["_id"]: document[field] for document in self._database[collection].find({"_id": ids}, [field])
            }
        for image in batch:
            if image.md5 not in found:
                raise CannotExport(f"image {image.md5} was deleted while it was exported: begin in another directory")
        return found


def batches(images: Iterable[Image], plan: Plan) -> Iterator[list[Image]]:
    """Divide images so that no batch has more than 8 MiB of wanted bytes, unless it is of one image."""
    batch: list[Image] = []
    size = 0
    for image in images:
        wanted = plan.wants_originals * image.length_bytes + plan.wants_grays * image.gray_bytes
        if batch and (size + wanted > BATCH_BYTES or len(batch) == BATCH_IMAGES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += wanted
    if batch:
        yield batch
