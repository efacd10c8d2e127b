"""Where a page of a list ended, as the opaque text that a client hands back for the next one."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.api.inputs import InvalidInput, is_md5, parse_uuid, shown
from services.api.queries.newest import Key, Position

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_LINE = 256**5 - 1
_UNREADABLE = "cursor must be one that an earlier answer gave as next, not {}."


def write_position(position: Position | None) -> str | None:
    """Write the position after the last entry of a page, None when there is no next page."""
    if position is None:
        return None
    milliseconds = (position.at - EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds} {position.key}".encode()).decode().rstrip("=")


def read_position(text: str, parse_key: Callable[[str], Key | None]) -> Position | None:
    """Read what `write_position` wrote; empty is the list's start. Raises InvalidInput."""
    if not text:
        return None
    try:
        plain = base64.b64decode(f"{text}{'=' * (-len(text) % 4)}", altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise InvalidInput(_UNREADABLE.format(shown(text))) from None
    found = re.fullmatch(r"([0-9]{1,14}) ([0-9a-f-]{32,36})", plain)
    key = parse_key(found[2]) if found else None
    if found is None or key is None:
        raise InvalidInput(_UNREADABLE.format(shown(text)))
    return Position(EPOCH + timedelta(milliseconds=int(found[1])), key)


def read_line(text: str) -> int:
    """Read the line that a page of items ended with; empty is 0. Raises InvalidInput."""
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,13}", text) or int(text) > LAST_LINE:
        raise InvalidInput(_UNREADABLE.format(shown(text)))
    return int(text)


def image_key(text: str) -> str | None:
    """Give an image's key, None when it is none."""
    return text if is_md5(text) else None


def task_key(text: str) -> UUID | None:
    """Give a task's key, None when it is none."""
    return parse_uuid(text)
