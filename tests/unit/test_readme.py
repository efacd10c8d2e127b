"""The README's tables are those of the code. `python -m tests.unit.test_readme` writes them anew."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from common.reasons import MEANINGS, Reason
from common.settings import Settings

README = Path(__file__).parent.parent.parent / "README.md"


def settings_table() -> str:
    rows = [
        f"| `{field.name.upper()}` | {_default(field.metadata['default'])} | {field.metadata['meaning']} |"
        for field in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])


def _default(text: str) -> str:
    return f"`{text}`" if text else ""


def reasons_table() -> str:
    rows = [f"| `{reason.value}` | {MEANINGS[reason]} |" for reason in Reason]
    return "\n".join(["| reason | meaning |", "| --- | --- |", *rows])


TABLES = {"settings": settings_table, "reasons": reasons_table}


def _with_table(text: str, name: str) -> str:
    marks = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
    return re.sub(marks, lambda match: f"{match[1]}{TABLES[name]()}\n{match[2]}", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_the_readme_has_the_table_of_the_code(name: str) -> None:
    text = README.read_text()
    assert f"<!-- {name} -->" in text
    assert _with_table(text, name) == text


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Reason)


if __name__ == "__main__":
    content = README.read_text()
    for table in TABLES:
        content = _with_table(content, table)
    README.write_text(content)
