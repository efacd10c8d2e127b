"""Times as people and machines write them (RFC 3339)."""

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def read_instant(text: str) -> datetime:
    """Read a time with its offset, and give it in UTC. Raises ValueError with a sentence."""
    sentence = f"must be a time such as 2024-05-31T18:30:00Z, not {text!r:.60}"
    if not _RFC3339.fullmatch(text):
        raise ValueError(sentence)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(sentence) from error


def write_instant(instant: datetime) -> str:
    """Write a time in UTC, with milliseconds only where it has some."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")
