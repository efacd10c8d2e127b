"""A file an image: `images/ab/<md5>.jpg` as received, `gray/ab/<md5>.png`; `ab` are the first two digits."""

from collections.abc import Iterable, Sequence

from common.manifest import Image, Place
from services.fetcher.export.directory import Directory
from services.fetcher.export.names import extension
from services.fetcher.export.pixels import Pixels
from services.fetcher.export.plan import Plan, Shard
from services.fetcher.export.state import Finished


class Folder:
    """Writes images as files. A shard is only how many of them are finished at a time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def place(self, image: Image, rank: int) -> Place:  # noqa: ARG002
        """Give the image's own files."""
        md5 = image.md5
        return Place(
            file=f"images/{md5[:2]}/{md5}.{extension(image.format)}" if self._plan.wants_originals else None,
            gray_file=f"gray/{md5[:2]}/{md5}.png" if self._plan.wants_grays else None,
        )

    def write(self, directory: Directory, shard: Shard, batches: Iterable[Sequence[Pixels]]) -> Finished:
        """Write the shard's images. None is forced to the disk by itself: `is_whole` looks at them again."""
        length_bytes = 0
        for batch in batches:
            for pixels in batch:
                place = self.place(pixels.image, shard.first)
                for name, body in ((place.file, pixels.original), (place.gray_file, pixels.gray)):
                    if name is not None and body is not None:
                        with directory.replacing(name, durable=False) as file:
                            file.write(body)
                length_bytes += pixels.length_bytes
        return Finished(None, shard.count, length_bytes)

    def is_whole(self, directory: Directory, finished: Finished, images: Iterable[Image]) -> bool:  # noqa: ARG002
        """Tell whether every image has its files, of the right length."""
        for image in images:
            place = self.place(image, 0)
            for name, length_bytes in ((place.file, image.length_bytes), (place.gray_file, image.gray_bytes)):
                if name is not None and directory.size(name) != length_bytes:
                    return False
        return True
