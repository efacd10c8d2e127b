"""The span of minutes that a request asks for."""

from datetime import datetime, timedelta

from common.instants import read_instant
from services.api.inputs import Arguments, InvalidInput, read_integer, shown
from services.api.queries.timeline import MINUTE, Span

DEFAULT_MINUTES = 60
LEAST_MINUTES = 15
MOST_MINUTES = 1_440


def _read(arguments: Arguments, name: str) -> datetime | None:
    """Give the time under this name, in UTC; None when absent or empty. Raises InvalidInput."""
    text = arguments.get(name, "")
    if not text:
        return None
    # A plus sign that was not escaped in the address arrives as a blank.
    plain = text.replace(" ", "+")
    refusal = InvalidInput(f"{name} must be a time such as 2024-05-31T18:30:00Z, not {shown(text)}.")
    try:
        instant = read_instant(plain)
    except ValueError:
        raise refusal from None
    if not 1970 <= instant.year <= 2999:
        raise InvalidInput(f"{name} must lie in the years 1970 to 2999, not in {instant.year}.")
    return instant


def read_span(arguments: Arguments, now: datetime) -> Span:
    """Give the minutes asked for: the last 60, or the last `minutes`, or those that `from` to `to` touches.

    With only one of `from` and `to`, `minutes` says how far the span reaches from there. Raises InvalidInput.
    """
    minutes = read_integer(arguments, "minutes", low=LEAST_MINUTES, high=MOST_MINUTES, default=DEFAULT_MINUTES)
    start, end = _read(arguments, "from"), _read(arguments, "to")
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
