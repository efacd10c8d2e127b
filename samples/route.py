"""A method and a path in; the function that answers, and the named parts of the path, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from samples.album import FORMATS, NAMES
from samples.answer import Answer
from samples.visit import Visit

# What each part of a path may hold, wherever it stands. All are bounded, and a name is a known one, so
# that nothing of a path reaches the file system.
PARTS = {
    "width": "[0-9]{1,12}",
    "height": "[0-9]{1,12}",
    "name": "|".join(NAMES),
    "extension": "|".join(sorted(FORMATS.keys() - {"tiff"})),
    "seconds": r"[0-9]{1,5}(?:\.[0-9]{1,3})?",
    "bytes_per_second": "[0-9]{1,9}",
    "key": "[A-Za-z0-9._-]{1,64}",
    "failures": "[0-9]{1,4}",
    "hops": "[0-9]{1,2}",
    "pictures": "[0-9]{1,4}",
    "anything": ".*",
}


@dataclass(frozen=True)
class Route:
    """One path pattern, `<part>` by part, and what happens there."""

    pattern: str
    answer: Callable[[Visit], Answer]
    description: str
    method: str = "GET"
    # Left out of the count of requests, so that a readiness check does not show up in a test's account.
    is_counted: bool = True
    _expression: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        literals_and_parts = re.split("<(.*?)>", self.pattern)
        pieces = [
            f"(?P<{piece}>{PARTS[piece]})" if index % 2 else re.escape(piece)
            for index, piece in enumerate(literals_and_parts)
        ]
        object.__setattr__(self, "_expression", re.compile("".join(pieces)))

    def parts_of(self, method: str, path: str) -> Mapping[str, str] | None:
        """The named parts when this route is meant, otherwise None. HEAD counts as GET."""
        if self.method != ("GET" if method == "HEAD" else method):
            return None
        match = self._expression.fullmatch(path)
        return match.groupdict() if match else None


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The first route that takes this path, and the parts it names."""
    for route in routes:
        parts = route.parts_of(method, path)
        if parts is not None:
            return route, parts
    return None
