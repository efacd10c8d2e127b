"""Where a page of a list ended, as the text that a client hands back for the next one."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, PlainValidator, WithJsonSchema

from services.api.inputs import refused
from services.api.queries.newest import Key, Position
from services.api.values import DIGITS, HOST_CHARACTERS, MD5_CHARACTERS, UUID_CHARACTERS, TaskId

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_LINE = 256**5 - 1
MILLISECONDS = "[0-9]{1,14}"
MEANING = "Where to go on: as an earlier answer gave it in `next`."


def write_position(position: Position | None) -> str | None:
    """Write the position after the last entry of a page, None when there is no next page."""
    if position is None:
        return None
    return f"{(position.at - EPOCH) // timedelta(milliseconds=1)}-{position.key}"


def _position(key_pattern: str, parse_key: Callable[[str], Key], text: Any) -> Position:
    found = re.fullmatch(f"({MILLISECONDS})-({key_pattern})", str(text))
    if found is None:
        raise refused("be one that an earlier answer gave as next", text)
    return Position(EPOCH + timedelta(milliseconds=int(found[1])), parse_key(found[2]))


def _cursor_schema(key_pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{MILLISECONDS}-{key_pattern}$", "description": MEANING})


ImageCursor = Annotated[
    Position, PlainValidator(partial(_position, MD5_CHARACTERS, str)), _cursor_schema(MD5_CHARACTERS)
]
TaskCursor = Annotated[
    Position, PlainValidator(partial(_position, UUID_CHARACTERS, UUID)), _cursor_schema(UUID_CHARACTERS)
]
LetterCursor = TaskCursor
HostCursor = Annotated[
    Position, PlainValidator(partial(_position, HOST_CHARACTERS, str)), _cursor_schema(HOST_CHARACTERS)
]
LineCursor = Annotated[int, Field(ge=0, le=LAST_LINE, description=MEANING), DIGITS]
ItemCursor = Annotated[TaskId, Field(description=MEANING)]
