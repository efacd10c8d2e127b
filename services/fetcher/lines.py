"""A list of URLs as a file: one a line, blank lines and comments left out."""

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

BOM = "﻿"
LONGEST_LINE_BYTES = 64 * 1024
COPY_BYTES = 1 << 20


class NotAList(Exception):
    """The file is no list of URLs; the text says at which line that shows."""


@dataclass(frozen=True)
class UrlList:
    """A list that was read through once: it is text, and this is what is in it."""

    file: IO[bytes]
    urls: int
    skipped: int

    def __iter__(self) -> Iterator[str]:
        self.file.seek(0)
        for _number, url in _lines(self.file):
            if url is not None:
                yield url


@contextmanager
def open_list(path: str) -> Iterator[UrlList]:
    """Open a list, `-` being standard input. Raises NotAList or OSError before anything is done with it.

    Standard input is copied to a temporary file first, so that a list that ends in rubbish is refused as a whole.
    """
    with tempfile.TemporaryFile() if path == "-" else Path(path).open("rb") as file:
        if path == "-":
            while block := sys.stdin.buffer.read(COPY_BYTES):
                file.write(block)
            file.seek(0)
        urls = skipped = 0
        for _number, url in _lines(file):
            urls += url is not None
            skipped += url is None
        if urls == 0:
            raise NotAList("there is no URL in it")
        yield UrlList(file, urls, skipped)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str | None]]:
    """Give each line's number and its URL, or None for a line that is left out."""
    reader = io.BufferedReader(file, COPY_BYTES) if isinstance(file, io.RawIOBase) else file
    number = 0
    while line := reader.readline(LONGEST_LINE_BYTES + 1):
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
        yield number, None if not text or text.startswith("#") else text
