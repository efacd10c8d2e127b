"""One request, taken apart, as a route's function sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from samples.album import Album, Size
from samples.answer import RefusalError
from samples.tally import Tally

LONGEST_SIDE = 5_000


@dataclass(frozen=True)
class Memory:
    """What the site remembers between requests."""

    album: Album = field(default_factory=Album)
    requests: Tally = field(default_factory=Tally)
    turns: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Visit:
    """The parts of the path that the route's pattern names, the query, and the site's memory."""

    parts: Mapping[str, str]
    query: Mapping[str, str]
    memory: Memory

    def size(self) -> Size:
        """Width and height from the path. Raises RefusalError (400 "Invalid size")."""
        size = Size(int(self.parts["width"]), int(self.parts["height"]))
        if not (1 <= size.width <= LONGEST_SIDE and 1 <= size.height <= LONGEST_SIDE):
            raise RefusalError(HTTPStatus.BAD_REQUEST, "Invalid size")
        return size
