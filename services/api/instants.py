"""Times as clients read and write them (RFC 3339), and the span of minutes that a request asks for."""

import re
from datetime import UTC, datetime, timedelta

from services.api.inputs import Arguments, InvalidInput, read_integer, shown
from services.api.queries.timeline import MINUTE, Span

DEFAULT_MINUTES = 60
LEAST_MINUTES = 15
MOST_MINUTES = 1_440
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def write_instant(instant: datetime) -> str:
    """Write a time of UTC, with milliseconds only where it has some."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def read_instant(arguments: Arguments, name: str) -> datetime | None:
    """Give the time under this name, in UTC; None when absent or empty. Raises InvalidInput."""
    text = arguments.get(name, "")
    if not text:
        return None
    # A plus sign that was not escaped in the address arrives as a blank.
    plain = text.replace(" ", "+")
    refusal = InvalidInput(f"{name} must be a time such as 2024-05-31T18:30:00Z, not {shown(text)}.")
    if not _RFC3339.fullmatch(plain):
        raise refusal
    try:
        instant = datetime.fromisoformat(plain.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refusal from None
    if not 1970 <= instant.year <= 2999:
        raise InvalidInput(f"{name} must lie in the years 1970 to 2999, not in {instant.year}.")
    return instant


def read_span(arguments: Arguments, now: datetime) -> Span:
    """Give the minutes asked for: the last 60, or the last `minutes`, or those that `from` to `to` touches.

    With only one of `from` and `to`, `minutes` says how far the span reaches from there. Raises InvalidInput.
    """
    minutes = read_integer(arguments, "minutes", low=LEAST_MINUTES, high=MOST_MINUTES, default=DEFAULT_MINUTES)
    start, end = read_instant(arguments, "from"), read_instant(arguments, "to")
    if start is None:
        end = _floor(now) + MINUTE if end is None else end
        start = _ceiling(end) - minutes * MINUTE
    elif end is None:
        end = _floor(start) + minutes * MINUTE
    if start > end:
        raise InvalidInput("from must not be later than to.")
    if end - start > MOST_MINUTES * MINUTE:
        raise InvalidInput(f"from and to must be at most {MOST_MINUTES:,} minutes apart.")
    return Span(_floor(start), max(_ceiling(end), _floor(start) + MINUTE))


def _floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _ceiling(instant: datetime) -> datetime:
    return _floor(instant + MINUTE - timedelta(microseconds=1))
