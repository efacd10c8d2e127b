"""A base URL in, the 650 lines of the exercise's list on it out; the order is the same each time.

`python -m samples.make_lists` writes both lists of the repository; with a base URL
(`python -m samples.make_lists http://samples:8081`) it prints that list instead.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from samples.settings import DEFAULT_HOST, DEFAULT_PORT

SEED = "graymill"
PUBLIC_BASE = "https://picsum.photos"
LOCAL_BASE = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"

SIZES = 500
TWICE = 44
THREE_TIMES = 3
REFUSED = 50
ERRORS = 50


def paths() -> list[str]:
    """550 good paths of 500 sizes, 50 of sizes that the site refuses, 50 of a page it does not have."""
    sizes = [f"/{width}/{width + 1}" for width in range(1, SIZES + 1)]
    repeated = _shuffled(sizes, "repeated")
    thrice, twice = repeated[:THREE_TIMES], repeated[THREE_TIMES : THREE_TIMES + TWICE]
    refused = [f"/{number}000000/{number}00000" for number in range(1, 2 * REFUSED, 2)]
    return _shuffled([*sizes, *twice, *thrice, *thrice, *refused, *["/error/100"] * ERRORS], "order")


def url_list(base_url: str) -> str:
    """The list's text on a site, a URL a line."""
    return "".join(f"{base_url.rstrip('/')}{path}\n" for path in paths())


def write_lists(root: Path) -> None:
    """Both lists, at the places they have in the repository."""
    for path, base_url in ((root / "urls.txt", PUBLIC_BASE), (root / "samples" / "urls.txt", LOCAL_BASE)):
        path.write_text(url_list(base_url), encoding="ascii", newline="\n")


def _shuffled(lines: list[str], purpose: str) -> list[str]:
    # Ordered by digest rather than by random.shuffle, whose order may change with the Python version.
    # The index keeps equal lines apart.
    def rank(numbered: tuple[int, str]) -> bytes:
        index, line = numbered
        return sha256(f"{SEED} {purpose} {index} {line}".encode()).digest()

    return [line for _, line in sorted(enumerate(lines), key=rank)]


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(url_list(sys.argv[1]))
    else:
        write_lists(Path(__file__).parents[1])
