"""Statuses of 400 and above, for good or for a while."""

from __future__ import annotations

import re
from http import HTTPStatus

from samples.answer import Answer, RefusalError, text
from samples.behaviour.pictures import jpeg, picture
from samples.visit import Visit

A_DAY_SECONDS = 86_400


def not_found(_visit: Visit) -> Answer:
    """404."""
    return text("page not found", HTTPStatus.NOT_FOUND)


def gone(_visit: Visit) -> Answer:
    """410."""
    return text("gone", HTTPStatus.GONE)


def forbidden(_visit: Visit) -> Answer:
    """403."""
    return text("forbidden", HTTPStatus.FORBIDDEN)


def broken(_visit: Visit) -> Answer:
    """500."""
    return text("broken", HTTPStatus.INTERNAL_SERVER_ERROR)


def busy(_visit: Visit) -> Answer:
    """429, to be tried again tomorrow."""
    return text("busy", HTTPStatus.TOO_MANY_REQUESTS, ("Retry-After", str(A_DAY_SECONDS)))


def flaky(visit: Visit) -> Answer:
    """503 as often as the path says for this key, then the picture."""
    retry_after = visit.query.get("retry_after", "1")
    if not (re.fullmatch("[0-9]{1,5}", retry_after) and int(retry_after) <= A_DAY_SECONDS):
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"retry_after must be 0 to {A_DAY_SECONDS} seconds")
    answer = picture(jpeg(visit))
    if visit.memory.turns.count(f"flaky {visit.parts['key']}") <= int(visit.parts["failures"]):
        return text("not yet", HTTPStatus.SERVICE_UNAVAILABLE, ("Retry-After", retry_after))
    return answer
