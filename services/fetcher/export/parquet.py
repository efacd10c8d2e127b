"""Parquet files: a row an image, its metadata and its bytes as columns."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from importlib import import_module
from typing import Any

from common.manifest import Image, Place
from services.fetcher.export.directory import Directory
from services.fetcher.export.errors import CannotExport
from services.fetcher.export.pixels import Pixels
from services.fetcher.export.plan import Plan, Shard
from services.fetcher.export.state import Finished

METADATA = tuple(field.name for field in fields(Image))
FEW_VALUES = ["format", "mode"]


class Parquet:
    """Writes `data/00000.parquet` and so on: a folder of their own, so that it can be read as one data set.

    pyarrow is large, and only this needs it: it is an extra, imported when it is asked for.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._arrow, self._parquet = _imported("pyarrow"), _imported("pyarrow.parquet")

    def place(self, image: Image, rank: int) -> Place:
        """Give the file and the MD5 that the image's row has."""
        name = _name(rank // self._plan.shard_size)
        return Place(
            file=name if self._plan.wants_originals else None,
            gray_file=name if self._plan.wants_grays else None,
            key=image.md5,
        )

    def write(self, directory: Directory, shard: Shard, batches: Iterable[Sequence[Pixels]]) -> Finished:
        """Write a file, a batch being a row group: more than that is never held."""
        schema = self._schema()
        # Encoded images do not get smaller, and no two are alike.
        compression = {name: "zstd" if name in METADATA else "none" for name in schema.names}
        name = _name(shard.number)
        with (
            directory.replacing(name) as file,
            self._parquet.ParquetWriter(
                file,
                schema,
                compression=compression,
                use_dictionary=FEW_VALUES,
                write_statistics=list(METADATA),
            ) as writer,
        ):
            for batch in batches:
                writer.write_batch(self._rows(schema, batch))
        return Finished(name, shard.count, directory.size(name) or 0)

    def is_whole(self, directory: Directory, finished: Finished, images: Iterable[Image]) -> bool:  # noqa: ARG002
        """Tell whether the file is there as it was finished."""
        return finished.file is not None and directory.size(finished.file) == finished.length_bytes

    def _schema(self) -> Any:
        arrow = self._arrow
        whole_numbers = dict.fromkeys(("width", "height", "orientation"), arrow.int32())
        lengths = dict.fromkeys(("length_bytes", "gray_bytes"), arrow.int64())
        types = {**whole_numbers, **lengths, "inserted_at": arrow.timestamp("ms", tz="UTC")}
        columns = [
            arrow.field(name, types.get(name, arrow.string()), nullable=name == "perceptual_hash") for name in METADATA
        ]
        if self._plan.wants_originals:
            columns.append(arrow.field("original", arrow.binary(), nullable=False))
        if self._plan.wants_grays:
            columns.append(arrow.field("gray", arrow.binary(), nullable=False))
        return arrow.schema(columns)

    def _rows(self, schema: Any, batch: Sequence[Pixels]) -> Any:
        columns = [
            [getattr(pixels.image if name in METADATA else pixels, name) for pixels in batch] for name in schema.names
        ]
        arrays = [self._arrow.array(column, type=kind) for column, kind in zip(columns, schema.types, strict=True)]
        return self._arrow.RecordBatch.from_arrays(arrays, schema=schema)


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise CannotExport("--format parquet needs pyarrow: pip install 'graymill[parquet]'") from error


def _name(number: int) -> str:
    return f"data/{number:05}.parquet"
