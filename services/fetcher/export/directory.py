"""The directory that an export is written into: files that are whole or not there, and one writer at a time."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from services.fetcher.export.errors import CannotExport

PART = ".part"


class Directory:
    """Writes files under their names relative to the directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def replacing(self, name: str, *, durable: bool = True) -> Iterator[IO[bytes]]:
        """Give a file that has its name once it is whole, and on the disk if it is to be durable."""
        path = self.path / name
        part = path.with_name(path.name + PART)
        try:
            with _open(part) as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def size(self, name: str) -> int | None:
        """Give a file's length in bytes, None when there is none."""
        with suppress(FileNotFoundError):
            return (self.path / name).stat().st_size
        return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Give the names of what is in it."""
        return {path.name for path in self.path.iterdir()}


@contextmanager
def opened(path: Path) -> Iterator[Directory]:
    """Open the directory, made if it is not there, for one export at a time.

    Whatever goes wrong with files in the meantime is raised as CannotExport, in a line.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(descriptor, path)
            yield Directory(path)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotExport(f"{error.filename or path}: {error.strerror or error}") from error
    except sqlite3.Error as error:
        raise CannotExport(f"{path}: {error}") from error


def _open(path: Path) -> IO[bytes]:
    """Open a file to be written; its folder is only made when it turns out that there is none."""
    try:
        return path.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")


def _lock(descriptor: int, path: Path) -> None:
    """Lock the directory itself: there is no file to be left behind, and the lock ends with the process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotExport(f"{path}: another export is writing there") from error
    except OSError:
        return  # a file system without locks
