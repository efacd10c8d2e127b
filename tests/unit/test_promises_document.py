"""docs/promises.md names every promise and every bad input, and tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "promises.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| ")]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))
COMMANDS = sorted(set(re.findall(r"`make ([\w-]+)", TEXT)))


def numbered(pattern: str) -> list[list[str]]:
    return [row for row in ROWS if re.fullmatch(pattern, row[0])]


def test_every_promise_has_its_numbers_and_what_shows_it() -> None:
    promises = numbered(r"P\d+")
    assert [row[0] for row in promises] == [f"P{number}" for number in range(1, 25)]
    for row in promises:
        assert all(row), row
        assert re.search(r"\d", row[3]) or row[0] == "P7", row
        assert "`tests/" in row[4] or "`make " in row[4], row


def test_every_bad_input_has_what_it_gives_and_who_tries_it() -> None:
    items = numbered(r"\d+")
    assert [int(row[0]) for row in items] == list(range(1, 31))
    assert all("::test_" in row[3] and row[2] for row in items)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=str)
def test_what_is_named_is_there(file: str, name: str) -> None:
    assert f"def {name or 'test_'}" in (ROOT / file).read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_of_the_makefile(command: str) -> None:
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
