"""What a value from outside may be: types that check, document and refuse it, for the fields of `Input` models."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from common.instants import read_instant
from services.api.inputs import refused

MAX_LIMIT = 100
MD5_CHARACTERS = "[0-9a-f]{32}"
HOST_CHARACTERS = "[0-9a-z_.:-]{1,254}"
UUID_CHARACTERS = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EXAMPLE_MD5 = "0123456789abcdef0123456789abcdef"
EXAMPLE_TASK = "6a1f0c5e-8d3b-4c47-9a52-1b7e93d0f684"
EXAMPLE_IMAGES_TASK = "b27e4d19-53c8-4f6a-8e01-9d3c7a5f2b60"
EXAMPLE_TEXT_TASK = "e94c0f83-16ab-4d72-b5d8-2f7a61c93e05"
EXAMPLE_LETTER = "1c9a6e42-7d05-5b18-8f3e-60a4b2c7d915"
EXAMPLE_HOST = "images.example.com"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

Absent = SkipJsonSchema[None]
"""`Instant | Absent` with None as its default: an argument that need not be there, but cannot be `null` either."""


class Format(StrEnum):
    """The forms that an answer can have."""

    JSON = "json"
    HTML = "html"


def _digits(text: Any) -> Any:
    """Refuse what int() would take beside digits, and what is so long that int() is slow."""
    if isinstance(text, str) and not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError
    return text


def _truth(text: Any) -> Any:
    if isinstance(text, str) and text.lower() not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[text.lower()] if isinstance(text, str) else text


def _day(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return date.fromisoformat(text if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise refused("be a day such as 2024-05-31", text) from None


def _instant(text: Any) -> Any:
    # A plus sign that was not escaped in the address arrives as a blank.
    return read_instant(text.replace(" ", "+")) if isinstance(text, str) else text


def _of_our_times(instant: datetime) -> datetime:
    if not 1970 <= instant.year <= 2999:
        raise refused(f"lie in the years 1970 to 2999, not in {instant.year}", None)
    return instant


def _as_we_write_it(text: Any) -> Any:
    if isinstance(text, str) and not re.fullmatch(UUID_CHARACTERS, text):
        raise ValueError
    return text


DIGITS = BeforeValidator(_digits)
"""For whole numbers, behind their bounds: `Annotated[int, Field(ge=1, le=9), DIGITS]`."""
Truth = Annotated[bool, BeforeValidator(_truth)]
Instant = Annotated[datetime, AfterValidator(_of_our_times), BeforeValidator(_instant)]
Day = Annotated[date, BeforeValidator(_day)]
Md5 = Annotated[
    str,
    Field(
        pattern=f"^{MD5_CHARACTERS}$", description="The MD5 of the image's bytes as received.", examples=[EXAMPLE_MD5]
    ),
]
TaskId = Annotated[
    UUID,
    BeforeValidator(_as_we_write_it),
    Field(description="A task's id.", examples=[EXAMPLE_TASK]),
]
LetterId = Annotated[
    UUID,
    BeforeValidator(_as_we_write_it),
    Field(description="A dead letter's id.", examples=[EXAMPLE_LETTER]),
]
HostName = Annotated[
    str,
    Field(pattern=f"^{HOST_CHARACTERS}$", description="A host as it is asked: in lower case.", examples=[EXAMPLE_HOST]),
]
Limit = Annotated[
    int, Field(ge=1, le=MAX_LIMIT, description="How many entries the answer may have.", examples=[2]), DIGITS
]
OptionalFormat = Annotated[
    Format | Absent,
    Field(
        description="The form of the answer; without it, the one that `Accept` prefers, and JSON if it prefers none."
    ),
]
