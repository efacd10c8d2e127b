"""What the templates may use: numbers, times and links as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Flask

from common.instants import write_instant
from common.reasons import MEANINGS, Reason

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
    app.jinja_env.tests["linkable"] = linkable
    app.jinja_env.globals |= {"OUTCOMES": OUTCOMES, "MEANINGS": MEANINGS, "REASONS": list(Reason)}


def number(value: int) -> str:
    """Write a count."""
    return f"{value:,}"


def moment(instant: datetime) -> str:
    """Write a time to the second; pages say that all times are UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def linkable(url: str) -> bool:
    """Tell whether a URL from outside may be the target of a link: never javascript: or data:."""
    return url.lower().startswith(SAFE_SCHEMES)
