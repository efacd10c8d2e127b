"""The body of a submission becomes a list of URLs. Whether a URL is any good is for the fetcher to find out."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.api.inputs import Arguments, InvalidInput, read_boolean, shown

MOST_NAME_CHARACTERS = 200
MEMBERS = ("urls", "name", "refresh")


@dataclass(frozen=True, slots=True)
class Submission:
    """What a person hands in."""

    urls: tuple[str, ...]
    name: str | None
    refresh: bool


def read_json(body: bytes, most: int) -> Submission:
    """Read `{"urls": [...], "name": ..., "refresh": ...}` with up to `most` URLs. Raises InvalidInput."""
    try:
        value = json.loads(_decode(body))
    except (ValueError, RecursionError):
        raise InvalidInput("The body is no JSON, or it is nested too deeply.") from None
    if not isinstance(value, dict):
        raise InvalidInput('The body must be a JSON object such as {"urls": ["https://example.com/a.png"]}.')
    for member in value:
        if member not in MEMBERS:
            raise InvalidInput(f"The members are {', '.join(MEMBERS)}; {shown(member)} is not among them.")
    refresh = value.get("refresh", False)
    if not isinstance(refresh, bool):
        raise InvalidInput("refresh must be true or false.")
    return Submission(_checked(_strings(value.get("urls")), most), _name(value.get("name")), refresh)


def read_text(body: bytes, arguments: Arguments, most: int) -> Submission:
    """Read the lines of a file; blank ones and those that start with # are left out. Raises InvalidInput."""
    lines = (line.strip() for line in re.split(r"\r\n|\n|\r", _decode(body)))
    urls = [line for line in lines if line and not line.startswith("#")]
    return Submission(_checked(urls, most), _name(arguments.get("name")), read_boolean(arguments, "refresh"))


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"The body is not UTF-8: see byte {error.start:,}.") from None


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise InvalidInput("urls must be a list of strings.")
    for index, url in enumerate(value):
        if not isinstance(url, str) or not url.strip():
            raise InvalidInput(f"urls must be a list of strings, none of them empty; entry {index + 1:,} is not one.")
    return [url.strip() for url in value]


def _checked(urls: Sequence[str], most: int) -> tuple[str, ...]:
    if not urls:
        raise InvalidInput("There is no URL in the list.")
    if len(urls) > most:
        raise InvalidInput(f"At most {most:,} URLs are taken at once; these are {len(urls):,}.")
    for index, url in enumerate(urls):
        _check_characters(url, f"URL {index + 1:,}")
    return tuple(urls)


def _name(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MOST_NAME_CHARACTERS:
        raise InvalidInput(f"name must be a text of at most {MOST_NAME_CHARACTERS} characters.")
    _check_characters(value, "name")
    return value


def _check_characters(text: str, what: str) -> None:
    r"""Refuse half a character: JSON can write one (`\ud800`), UTF-8 and so the database cannot."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInput(f"{what} holds half of a character (a lone surrogate).")
