"""What a status and headers lead to."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import urllib3
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import ItemError, Permanent, Transient
from common.fetching.answer import check_opt_out, check_status, is_redirect, retry_after_seconds
from common.reasons import Reason

HOUR_SECONDS = 3_600.0
STATUSES = {
    **dict.fromkeys((101, 103), (Permanent, Reason.CONNECT)),
    **dict.fromkeys((300, 304, 305, 306, 399), (Permanent, Reason.REDIRECT_LIMIT)),
    **dict.fromkeys((400, 401, 402, 403, 404, 405, 406, 410, 418, 451, 499), (Permanent, Reason.HTTP_4XX)),
    **dict.fromkeys((408, 425), (Transient, Reason.HTTP_4XX)),
    429: (Transient, Reason.RATE_LIMITED),
    **dict.fromkeys((500, 502, 503, 504), (Transient, Reason.HTTP_5XX)),
    **dict.fromkeys((501, 505, 507, 511, 520, 599, 999), (Permanent, Reason.HTTP_5XX)),
}
OPT_OUTS = [
    ["noai"],
    ["noimageai"],
    ["NoAI"],
    ["noindex, noai"],
    ["noindex,noimageai"],
    ["noindex; noai"],
    [" noai "],
    ["graymill: noai"],
    ["Graymill : noindex, noai"],
    ["*: noai"],
    ["noindex", "noai"],
    ["otherbot: noindex", "noai"],
    ["otherbot: noindex, graymill: noai"],
    ["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"],
    ["max-snippet: 20, noai"],
]
NO_OPT_OUTS = [
    [],
    [""],
    ["noindex, nofollow"],
    ["none"],
    ["noaiplease"],
    ["ai"],
    ["otherbot: noai"],
    ["otherbot: noindex, noai"],
    ["otherbot: noai", "noindex"],
    ["graymill: noindex, otherbot: noai"],
]
NEITHER_SECONDS_NOR_DATE = [
    *("", " ", "soon", "-1", "1.5", "1e3", "+5", "0x10", "\u0665", "Mon", "99999999999999999999 Jan 2030 00:00:00 GMT"),
    *(
        "Mon, 99999999999999999999 Jan 2030 00:00:00 GMT",
        "Thu, 31 Feb 2030 10:00:00 GMT",
        "Mon, 01 Jan 99999 00:00:00 GMT",
    ),
]


def response(status: int, headers: list[tuple[str, str]] | None = None) -> requests.Response:
    answer = requests.Response()
    answer.status_code = status
    answer.reason = "as it says"
    answer.raw = urllib3.HTTPResponse(status=status, headers=urllib3.HTTPHeaderDict(headers or []))
    answer.headers.update(answer.raw.headers)
    return answer


def refused(answer: requests.Response) -> ItemError:
    with pytest.raises(ItemError) as caught:
        check_status(answer, longest_wait_seconds=HOUR_SECONDS)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 203, 204, 206, 226, 299])
def test_an_answer_of_success_is_accepted(status: int) -> None:
    check_status(response(status), longest_wait_seconds=HOUR_SECONDS)


@pytest.mark.parametrize(("status", "expected"), STATUSES.items())
def test_every_other_status_is_an_outcome_with_the_status_beside_it(
    status: int, expected: tuple[type[ItemError], Reason]
) -> None:
    error = refused(response(status))
    assert (type(error), error.reason, error.status) == (*expected, status)
    if status >= 300:
        assert error.detail == f"{status} as it says"


@pytest.mark.parametrize("status", [429, 503, 500, 408])
def test_a_wait_that_is_asked_for_is_granted_up_to_the_longest(status: int) -> None:
    granted = refused(response(status, [("Retry-After", "3600")]))
    assert isinstance(granted, Transient)
    assert granted.after_seconds == HOUR_SECONDS
    refusal = refused(response(status, [("Retry-After", "3601")]))
    assert (type(refusal), refusal.reason, refusal.status) == (Permanent, Reason.RATE_LIMITED, status)


def test_a_wait_does_not_make_a_final_status_worth_another_try() -> None:
    assert type(refused(response(404, [("Retry-After", "5")]))) is Permanent


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_elsewhere_or_is_refused(status: int) -> None:
    assert is_redirect(response(status, [("Location", "/x")]))
    for headers in ([], [("Location", "")]):
        with pytest.raises(Permanent) as caught:
            is_redirect(response(status, headers))
        assert (caught.value.reason, caught.value.status) == (Reason.REDIRECT_LIMIT, status)


@pytest.mark.parametrize("status", [200, 201, 300, 304, 305, 404])
def test_a_location_redirects_only_with_the_status_for_it(status: int) -> None:
    assert not is_redirect(response(status, [("Location", "/x")]))


@pytest.mark.parametrize("lines", OPT_OUTS)
def test_an_opt_out_for_everybody_or_for_us_is_heeded(lines: list[str]) -> None:
    with pytest.raises(Permanent) as caught:
        check_opt_out(response(200, [("X-Robots-Tag", line) for line in lines]))
    assert caught.value.reason is Reason.OPT_OUT


@pytest.mark.parametrize("lines", NO_OPT_OUTS)
def test_other_directives_and_those_for_others_are_no_opt_out(lines: list[str]) -> None:
    check_opt_out(response(200, [("x-robots-tag", line) for line in lines]))


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("3", 3), (" 120 ", 120), ("007", 7), ("9" * 400, float("inf"))]
)
def test_a_retry_after_of_seconds_is_read(text: str, seconds: float) -> None:
    assert retry_after_seconds(text) == seconds


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_a_retry_after_of_a_date_is_read(zone: str) -> None:
    at = datetime.now(UTC) + timedelta(minutes=10)
    seconds = retry_after_seconds(format_datetime(at).replace("+0000", zone))
    assert seconds == pytest.approx(600, abs=5)


def test_a_retry_after_of_a_past_date_is_now() -> None:
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("text", NEITHER_SECONDS_NOR_DATE)
def test_a_retry_after_that_is_neither_is_as_good_as_none(text: str) -> None:
    assert retry_after_seconds(text) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, -?\d{1,30} [A-Z][a-z]{2} \d{1,30} [\d:]{1,20} [A-Z+-]{1,3}\d{0,9}"))
@example("Mon, 01 Jan 0001 00:00:00 +9999")
@example("Fri, 31 Dec 9999 23:59:59 -9959")
def test_no_retry_after_is_an_error_of_ours(text: str) -> None:
    seconds = retry_after_seconds(text)
    assert seconds is None or seconds >= 0
