"""A list of URLs as a file: one a line, blank lines and comments left out."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

BOM = "\ufeff"
LONGEST_LINE_BYTES = 64 * 1024
COPY_BYTES = 1 << 20


class NotAList(Exception):
    """The file cannot be read or is no list of URLs; the text says why, and at which line that shows."""


@dataclass(frozen=True)
class UrlList:
    """A list that was read through once: it is text, and this is what is in it."""

    file: IO[bytes]
    urls: int
    skipped: int

    def __iter__(self) -> Iterator[str]:
        self.file.seek(0)
        return (url for url in _lines(self.file) if url is not None)


@contextmanager
def open_list(path: str) -> Iterator[UrlList]:
    """Open a list, `-` being standard input. Raises NotAList before anything is done with it."""
    try:
        file = _seekable(path)
    except OSError as error:
        raise NotAList(f"{_shown(path)}: {error.strerror or error}") from error
    with file:
        urls = skipped = 0
        try:
            for url in _lines(file):
                urls += url is not None
                skipped += url is None
        except OSError as error:
            raise NotAList(f"{_shown(path)}: {error.strerror or error}") from error
        if urls == 0:
            raise NotAList(f"{_shown(path)}: there is no URL in it")
        yield UrlList(file, urls, skipped)


def _seekable(path: str) -> IO[bytes]:
    """Open a file that can be read twice: first to see that it is a list, so that rubbish at its end refuses it whole.

    Standard input and pipes (`<(sort urls.txt)`) are therefore copied to a temporary file.
    """
    if path != "-":
        file = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
        if file.seekable():
            return file
        with file:
            return _copy(file)
    if sys.stdin is None:
        raise OSError("it is closed")
    return _copy(sys.stdin.buffer)


def _copy(stream: IO[bytes]) -> IO[bytes]:
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        while block := stream.read(COPY_BYTES):
            copy.write(block)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _lines(file: IO[bytes]) -> Iterator[str | None]:
    """Give each line's URL, or None for a line that is left out."""
    number = 0
    while line := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(line) > LONGEST_LINE_BYTES:
            raise NotAList(f"line {number} is longer than {LONGEST_LINE_BYTES:,} bytes")
        if b"\x00" in line:
            raise NotAList(f"line {number} has a zero byte: this is no text file")
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise NotAList(f"line {number} is not UTF-8 text") from error
        text = text.removeprefix(BOM).strip() if number == 1 else text.strip()
        yield None if not text or text.startswith("#") else text


def _shown(path: str) -> str:
    return "standard input" if path == "-" else path
