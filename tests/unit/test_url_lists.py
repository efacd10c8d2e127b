"""The lists people start with: what is in them, and that they are made again as they are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from samples.make_lists import LOCAL_BASE, PUBLIC_BASE, paths, write_lists

ROOT = Path(__file__).parents[2]
GOOD = re.compile(r"/([1-9][0-9]*)/([1-9][0-9]*)")


@pytest.mark.parametrize(
    ("place", "base_url"), [("urls.txt", PUBLIC_BASE), ("samples/urls.txt", LOCAL_BASE)], ids=["public", "local"]
)
def test_a_list_holds_650_urls_of_one_site_a_line_each(place, base_url):
    body = (ROOT / place).read_bytes()
    assert b"\r" not in body
    assert body.endswith(b"\n")
    lines = body.decode("ascii").split("\n")[:-1]
    assert len(lines) == 650
    assert all(line.startswith(f"{base_url}/") for line in lines)
    assert [line.removeprefix(base_url) for line in lines] == paths()


def test_the_lists_in_the_repository_are_what_the_script_writes(tmp_path):
    (tmp_path / "samples").mkdir()
    write_lists(tmp_path)
    for place in ("urls.txt", "samples/urls.txt"):
        assert (tmp_path / place).read_bytes() == (ROOT / place).read_bytes()


def test_550_good_lines_ask_for_500_sizes_some_of_them_again():
    sizes = Counter(path for path in paths() if is_good(path))
    assert sizes.keys() == {f"/{width}/{width + 1}" for width in range(1, 501)}
    assert Counter(sizes.values()) == {1: 453, 2: 44, 3: 3}


def test_100_lines_fail_half_for_their_size_and_half_for_their_path():
    bad = Counter(path for path in paths() if not is_good(path))
    assert bad.pop("/error/100") == 50
    assert bad == Counter(f"/{number}000000/{number}00000" for number in range(1, 100, 2))


def test_failing_lines_are_mixed_in_from_the_start():
    order = [is_good(path) for path in paths()]
    tenths = [order[start : start + 65] for start in range(0, 650, 65)]
    assert all(3 <= tenth.count(False) <= 20 for tenth in tenths)


def is_good(path: str) -> bool:
    match = GOOD.fullmatch(path)
    return match is not None and int(match[2]) == int(match[1]) + 1
