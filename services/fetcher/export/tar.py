"""Tar archives as the webdataset package reads them: the members of an image share their name up to the first dot.

The same images make the same archive to the byte: members are sorted, and have no time, owner or rights of their own.
"""

import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO

from common.manifest import Image, Place
from services.fetcher.export.directory import Directory
from services.fetcher.export.names import extension
from services.fetcher.export.pixels import Pixels
from services.fetcher.export.plan import Plan, Shard
from services.fetcher.export.state import Finished

READABLE = 0o644


class Tar:
    """Writes `00000.tar`, `00001.tar` and so on, with `<md5>.jpg`, `<md5>.gray.png` and `<md5>.json`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def place(self, image: Image, rank: int) -> Place:
        """Give the archive and the name that the image's members share."""
        name = _name(rank // self._plan.shard_size)
        return Place(
            file=name if self._plan.wants_originals else None,
            gray_file=name if self._plan.wants_grays else None,
            key=image.md5,
        )

    def write(self, directory: Directory, shard: Shard, batches: Iterable[Sequence[Pixels]]) -> Finished:
        """Write an archive."""
        name = _name(shard.number)
        with (
            directory.replacing(name) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for batch in batches:
                for pixels in batch:
                    for member, body in sorted(_members(pixels)):
                        information = tarfile.TarInfo(member)
                        information.size, information.mode = len(body), READABLE
                        archive.addfile(information, BytesIO(body))
        return Finished(name, shard.count, directory.size(name) or 0)

    def is_whole(self, directory: Directory, finished: Finished, images: Iterable[Image]) -> bool:  # noqa: ARG002
        """Tell whether the archive is there as it was finished."""
        return finished.file is not None and directory.size(finished.file) == finished.length_bytes


def _members(pixels: Pixels) -> Iterator[tuple[str, bytes]]:
    md5 = pixels.image.md5
    yield f"{md5}.json", json.dumps(pixels.image.as_json()).encode()
    if pixels.original is not None:
        yield f"{md5}.{extension(pixels.image.format)}", pixels.original
    if pixels.gray is not None:
        yield f"{md5}.gray.png", pixels.gray


def _name(number: int) -> str:
    return f"{number:05}.tar"
