"""Text from outside becomes a number, a name out of a list or an id here, before it reaches a query."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

Choice = TypeVar("Choice", bound=StrEnum)
Arguments = Mapping[str, str]

MAX_LIMIT = 100
DEFAULT_LIMIT = 50
MD5 = re.compile(r"[0-9a-f]{32}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class InvalidInput(Exception):
    """Something in the request cannot be accepted; the sentence it carries is the answer."""


def read_integer(arguments: Arguments, name: str, *, low: int, high: int, default: int) -> int:
    """Give the whole number under this name; absent or empty is the default. Raises InvalidInput."""
    text = arguments.get(name, "")
    if not text:
        return default
    # At most nine digits: int() of a very long text is slow, and refuses with an error of its own.
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise InvalidInput(f"{name} must be a whole number from {low:,} to {high:,}, not {shown(text)}.")
    return int(text)


def read_limit(arguments: Arguments) -> int:
    """Give how many entries a page may have. Raises InvalidInput."""
    return read_integer(arguments, "limit", low=1, high=MAX_LIMIT, default=DEFAULT_LIMIT)


def read_boolean(arguments: Arguments, name: str) -> bool:
    """Give the truth value under this name; absent or empty is False. Raises InvalidInput."""
    text = arguments.get(name, "")
    if text and text.lower() not in _BOOLEANS:
        raise InvalidInput(f"{name} must be true or false, not {shown(text)}.")
    return _BOOLEANS.get(text.lower(), False)


def read_choice(arguments: Arguments, name: str, choices: type[Choice]) -> Choice | None:
    """Give the member of the list that is named, None when none is. Raises InvalidInput."""
    text = arguments.get(name, "")
    if not text:
        return None
    try:
        return choices(text)
    except ValueError:
        raise InvalidInput(f"{name} must be one of {', '.join(choices)}; not {shown(text)}.") from None


def parse_uuid(text: str) -> UUID | None:
    """Give the UUID when it is written as we write it (lower case, with hyphens), else None."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text else None


def is_md5(text: str) -> bool:
    """Tell whether it is an MD5 as we write it: 32 of 0-9 and a-f."""
    return MD5.fullmatch(text) is not None


def shown(text: str) -> str:
    """Quote a text from outside, shortened, without control characters."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
