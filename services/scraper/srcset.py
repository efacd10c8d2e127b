"""The `srcset` attribute.

HTML standard, 4.8.4.3.10, "parse a srcset attribute": a candidate's URL goes to the next white space, so that it may
have commas inside; a comma at its end, or outside parentheses among its descriptors, begins the next candidate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.scraper.characters import WHITE_SPACE

MOST_CANDIDATES = 1_000
SEPARATORS = re.compile(f"[{WHITE_SPACE},]*")
ADDRESS = re.compile(f"[^{WHITE_SPACE}]+")
DESCRIPTORS = re.compile(r"(?:[^,(]|\([^)]*(?:\)|\Z))*")
WIDTH = re.compile(r"([0-9]{1,9})w")
HEIGHT = re.compile(r"[0-9]{1,9}h")
DENSITY = re.compile(r"((?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)x")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One image of the set; without a descriptor its density is 1. `width` is in pixels, 0 when not told."""

    address: str
    width: int = 0
    density: float = 1.0


def candidates(srcset: str) -> Iterator[Candidate]:
    """Give the candidates in their order, without those the standard drops for a wrong descriptor."""
    position = 0
    while True:
        separators = SEPARATORS.match(srcset, position)
        address = ADDRESS.match(srcset, separators.end() if separators else position)
        if address is None:
            return
        position = address.end()
        if address[0].endswith(","):
            yield Candidate(address[0].rstrip(","))
            continue
        descriptors = DESCRIPTORS.match(srcset, position)
        if descriptors is None:
            return
        position = descriptors.end()
        candidate = _described(address[0], descriptors[0].split())
        if candidate is not None:
            yield candidate


def largest(srcset: str) -> str | None:
    """Give the address of the widest candidate, or of the densest where no width is told; None when there is none."""
    some = islice(candidates(srcset), MOST_CANDIDATES)
    best = max(some, key=lambda candidate: (candidate.width, candidate.density), default=None)
    return best.address if best else None


def _described(address: str, descriptors: list[str]) -> Candidate | None:
    width, density = 0, None
    for descriptor in descriptors:
        if (match := WIDTH.fullmatch(descriptor)) and int(match[1]) and not width and density is None:
            width = int(match[1])
        elif (match := DENSITY.fullmatch(descriptor)) and not width and density is None:
            density = float(match[1])
        elif not HEIGHT.fullmatch(descriptor):
            return None
    return Candidate(address, width, 1.0 if density is None else density)
