"""What the templates may use: numbers, times and links as people read them."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from common.file_names import file_name
from common.instants import write_instant
from common.reasons import MEANINGS, Reason
from common.tally import Failures
from services.api.authentication import asks_for_keys, current_address, is_signed_in, may_write
from services.api.keys import SESSION_SECONDS
from services.api.thumbnails import thumbnail_size

SAFE_SCHEMES = ("http://", "https://")
OUTCOMES: Mapping[str, str] = {
    "success": "stored now",
    "duplicate": "already stored: the same bytes came before",
    "error": "no image, with a reason",
    "pending": "no outcome yet",
}
"""The order in which outcomes are drawn and listed, and what each means."""


def register(app: Flask) -> None:
    """Make them known to the application's templates."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {"number": number, "instant": write_instant, "moment": moment}
    app.jinja_env.filters |= {"marked": marked, "as_json": as_json}
    app.jinja_env.filters |= {"duration": duration, "by_reason": by_reason, "http": http}
    app.jinja_env.filters |= {"file_name": file_name}
    app.jinja_env.tests["linkable"] = linkable
    app.jinja_env.globals |= {"OUTCOMES": OUTCOMES, "MEANINGS": MEANINGS, "REASONS": list(Reason)}
    app.jinja_env.globals |= {"thumbnail_size": thumbnail_size, "session_hours": SESSION_SECONDS // 3_600}
    app.jinja_env.globals |= {each.__name__: each for each in (asks_for_keys, may_write, is_signed_in, current_address)}


def number(value: int) -> str:
    """Write a count."""
    return f"{value:,}"


def moment(instant: datetime) -> str:
    """Write a time to the second; pages say that all times are UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Write a time span by its largest units, as roughly as it is meant."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3_600, 1):g} h" if seconds < 48 * 3_600 else f"{round(seconds / 86_400)} days"


def http(status: int) -> str:
    """Write an HTTP status with its name, where it has one."""
    return f"HTTP {status} {HTTPStatus(status).phrase}" if status in set(HTTPStatus) else f"HTTP {status}"


def by_reason(failures: Iterable[Failures]) -> list[tuple[Reason, int, list[Failures]]]:
    """Gather those of the same reason, whatever their status, with their sum; the most frequent reason first."""
    groups: dict[Reason, list[Failures]] = {}
    for each in failures:
        groups.setdefault(Reason(each.reason), []).append(each)
    rows = ((reason, sum(each.count for each in group), group) for reason, group in groups.items())
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def marked(text: str) -> Markup:
    """Write a text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def as_json(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON that people read."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def linkable(url: str) -> bool:
    """Tell whether a URL from outside may be the target of a link: never javascript: or data:."""
    return url.lower().startswith(SAFE_SCHEMES)
