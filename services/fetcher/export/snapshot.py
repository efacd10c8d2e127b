"""What an export will hold, frozen on disk when it begins: its images in the order of their MD5, and its lines.

The database goes on while an export runs, is interrupted and runs again; the files must not show it. And however
large a selection is, it is sorted, made distinct and looked up here and not in memory.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from common.manifest import Image, Line
from services.fetcher.export.directory import PART, Directory

PAGE = 1_000
CACHE_KIBIBYTES = 16 * 1024
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

SCHEMA = """
    CREATE TABLE image (
        md5 TEXT PRIMARY KEY, url TEXT, width INTEGER, height INTEGER, length_bytes INTEGER, gray_bytes INTEGER,
        format TEXT, mode TEXT, orientation INTEGER, perceptual_hash TEXT, inserted_at INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE left_out (md5 TEXT PRIMARY KEY, near_duplicate_of TEXT) WITHOUT ROWID;
    CREATE TABLE line (
        number INTEGER PRIMARY KEY, url TEXT, outcome TEXT, reason TEXT, status INTEGER, detail TEXT,
        finished_at INTEGER, md5 TEXT
    );
    CREATE TABLE ranked (rank INTEGER PRIMARY KEY, md5 TEXT UNIQUE);
"""
RANK = """
    INSERT INTO ranked SELECT row_number() OVER (ORDER BY md5) - 1, md5
    FROM image WHERE md5 NOT IN (SELECT md5 FROM left_out) ORDER BY md5
"""
HASHED = """
    SELECT md5, perceptual_hash FROM image WHERE perceptual_hash IS NOT NULL
    ORDER BY width * height DESC, length_bytes DESC, md5
"""
INSERT_IMAGE = "INSERT OR IGNORE INTO image VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_LINE = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
KNOWN = "SELECT md5 FROM image WHERE md5 IN (SELECT value FROM json_each(?))"
IMAGES = """
    SELECT image.* FROM ranked JOIN image ON image.md5 = ranked.md5
    WHERE ranked.rank >= ? AND ranked.rank < ? ORDER BY ranked.rank
"""
ALL_IMAGES = """
    SELECT ranked.rank, near_duplicate_of, image.*
    FROM image LEFT JOIN ranked ON ranked.md5 = image.md5 LEFT JOIN left_out ON left_out.md5 = image.md5
    WHERE image.md5 > ? ORDER BY image.md5 LIMIT ?
"""
LINES = """
    SELECT line.*, ranked.rank, near_duplicate_of, image.*
    FROM line LEFT JOIN image ON image.md5 = line.md5
    LEFT JOIN ranked ON ranked.md5 = image.md5 LEFT JOIN left_out ON left_out.md5 = image.md5
    WHERE line.number > ? ORDER BY line.number LIMIT ?
"""
LINE_COLUMNS = len(fields(Line))


@dataclass(frozen=True, slots=True)
class Chosen:
    """An image, and its rank among those exported; or, when it is left out, the MD5 of the one that it is left for."""

    image: Image
    rank: int | None
    near_duplicate_of: str | None


class Choosing:
    """Takes images and lines in, in any order; an image comes in once, as it was given first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def unknown(self, md5s: Collection[str]) -> list[str]:
        """Give those that are not in yet."""
        known = {row[0] for row in self._connection.execute(KNOWN, [json.dumps(list(md5s))])}
        return [md5 for md5 in md5s if md5 not in known]

    def add(self, images: Sequence[Image], lines: Sequence[Line]) -> None:
        """Take them in."""
        self._connection.executemany(INSERT_IMAGE, map(_row, images))
        self._connection.executemany(INSERT_LINE, map(_row, lines))

    def hashed(self) -> Iterator[tuple[str, int]]:
        """Give MD5 and perceptual hash of the images that have one, those with the most pixels first."""
        for md5, digits in self._connection.execute(HASHED):
            yield md5, int(digits, 16)

    def leave_out(self, md5: str, near_duplicate_of: str) -> None:
        """Leave an image out for another one."""
        self._connection.execute("INSERT INTO left_out VALUES (?, ?)", (md5, near_duplicate_of))


class Snapshot:
    """Gives back what was chosen."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count_images(self) -> int:
        """Count the images that are exported."""
        (images,) = self._connection.execute("SELECT count(*) FROM ranked").fetchone()
        return int(images)

    def count_left_out(self) -> int:
        """Count the images that are left out."""
        (images,) = self._connection.execute("SELECT count(*) FROM left_out").fetchone()
        return int(images)

    def count_outcomes(self) -> dict[str, int]:
        """Count the lines by outcome."""
        return dict(self._connection.execute("SELECT outcome, count(*) FROM line GROUP BY outcome ORDER BY outcome"))

    def images(self, first: int, count: int) -> Iterator[Image]:
        """Give the images of ranks from `first`, in the order of their MD5."""
        for rank in range(first, first + count, PAGE):
            rows = self._connection.execute(IMAGES, (rank, min(rank + PAGE, first + count))).fetchall()
            yield from map(_image, rows)

    def all_images(self) -> Iterator[Chosen]:
        """Give every image in the order of their MD5, those left out too."""
        after = ""
        while rows := self._connection.execute(ALL_IMAGES, (after, PAGE)).fetchall():
            yield from map(_chosen, rows)
            after = rows[-1][2]

    def lines(self) -> Iterator[tuple[Line, Chosen | None]]:
        """Give the lines by number, each with its image, where it has one."""
        after = -1
        while rows := self._connection.execute(LINES, (after, PAGE)).fetchall():
            for row in rows:
                rank, near_duplicate_of = row[LINE_COLUMNS : LINE_COLUMNS + 2]
                has_image = rank is not None or near_duplicate_of is not None
                yield _line(row[:LINE_COLUMNS]), _chosen(row[LINE_COLUMNS:]) if has_image else None
            after = rows[-1][0]


@contextmanager
def choosing(directory: Directory, name: str) -> Iterator[Choosing]:
    """Make a snapshot; it is there, whole and in order, once this ends without an error."""
    part = directory.path / (name + PART)
    part.unlink(missing_ok=True)
    try:
        with closing(_connect(f"{part.absolute().as_uri()}?mode=rwc")) as connection:
            # Nobody reads it before it is whole: it needs no journal.
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
            connection.execute("BEGIN")
            yield Choosing(connection)
            connection.execute(RANK)
            connection.execute("COMMIT")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(directory.path / name)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def snapshot(directory: Directory, name: str) -> Iterator[Snapshot]:
    """Open a snapshot that was made."""
    with closing(_connect(f"{(directory.path / name).absolute().as_uri()}?mode=ro")) as connection:
        yield Snapshot(connection)


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
    return connection


def _row(record: Image | Line) -> tuple[Any, ...]:
    values = (getattr(record, name) for name in record.__slots__)
    return tuple(_milliseconds(value) if isinstance(value, datetime) else value for value in values)


def _milliseconds(instant: datetime) -> int:
    return (instant - EPOCH) // MILLISECOND


def _instant(milliseconds: int) -> datetime:
    return EPOCH + milliseconds * MILLISECOND


def _chosen(row: tuple[Any, ...]) -> Chosen:
    rank, near_duplicate_of, *image = row
    return Chosen(_image(tuple(image)), rank, near_duplicate_of)


def _image(row: tuple[Any, ...]) -> Image:
    values = (*row[:-1], _instant(row[-1]))
    return Image(*values)


def _line(row: tuple[Any, ...]) -> Line:
    *before, finished_at, md5 = row
    values = (*before, None if finished_at is None else _instant(finished_at), md5)
    return Line(*values)
