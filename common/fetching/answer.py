"""What an answer's status and headers say, before its body is looked at."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from common.errors import ItemError, Permanent, Transient
from common.reasons import Reason

REDIRECTS = {301, 302, 303, 307, 308}
TRY_AGAIN = {408, 425, 500, 502, 503, 504}
OUR_NAME = "graymill"
OPT_OUTS = {"noai", "noimageai"}
WITH_VALUES = {"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"}
"""Directives with a colon of their own, before which no user agent stands."""


def is_redirect(response: requests.Response) -> bool:
    """Tell whether the answer leads elsewhere; raises Permanent when it means to and does not say where."""
    if response.status_code not in REDIRECTS:
        return False
    if not response.headers.get("Location"):
        raise _of(Permanent, Reason.REDIRECT_LIMIT, response, "a redirect without a Location")
    return True


def check_status(response: requests.Response, *, longest_wait_seconds: float) -> None:
    """Accept an answer that brings a body; raises Permanent or Transient for every other."""
    status = response.status_code
    if 200 <= status < 300:
        return
    if status < 200:
        raise _of(Permanent, Reason.CONNECT, response, f"{status} is no answer to what was asked")
    wait_seconds = retry_after_seconds(response.headers.get("Retry-After", ""))
    if status == 429 or (status in TRY_AGAIN and wait_seconds is not None and wait_seconds > longest_wait_seconds):
        if wait_seconds is not None and wait_seconds > longest_wait_seconds:
            raise _of(Permanent, Reason.RATE_LIMITED, response, f"asks to wait {wait_seconds:,.0f} s")
        raise Transient(Reason.RATE_LIMITED, _said(response), status=status, after_seconds=wait_seconds)
    reason = Reason.HTTP_5XX if status >= 500 else Reason.HTTP_4XX if status >= 400 else Reason.REDIRECT_LIMIT
    if status in TRY_AGAIN:
        raise Transient(reason, _said(response), status=status, after_seconds=wait_seconds)
    raise _of(Permanent, reason, response, _said(response))


def check_opt_out(response: requests.Response) -> None:
    """Raise Permanent when the server asks not to use the image for machine learning.

    The header is a convention: directives, for everybody or, behind a user agent's name and a colon, for that one.
    """
    for line in response.raw.headers.getlist("X-Robots-Tag"):
        concerned = True
        for part in re.split(r"[,;]", line.lower()):
            agent, colon, directive = part.strip().partition(":")
            if not colon:
                directive = agent
            elif agent.strip() not in WITH_VALUES:
                concerned = agent.strip() in (OUR_NAME, "*")
            if concerned and directive.strip() in OPT_OUTS:
                raise Permanent(Reason.OPT_OUT, f"X-Robots-Tag: {directive.strip()}")


def retry_after_seconds(text: str) -> float | None:
    """Read a Retry-After (RFC 9110, 10.2.3): seconds or a date; None when it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _said(response: requests.Response) -> str:
    return f"{response.status_code} {response.reason or ''}".strip()[:100]


def _of(error: type[ItemError], reason: Reason, response: requests.Response, detail: str) -> ItemError:
    return error(reason, detail, status=response.status_code)
