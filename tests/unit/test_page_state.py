"""How a page's task stands, by how its page and its images do."""

import pytest

from common.page_state import PageState, without_page
from common.reasons import Reason
from common.tally import Failures, Tally

ENDED = {"outcome": "success"}
FAILED = {"outcome": "error", "reason": "http_4xx", "status": 404}


@pytest.mark.parametrize(
    ("page", "images", "status"),
    [
        ({"outcome": "pending"}, Tally(), "waiting"),
        (FAILED, Tally(), "error"),
        (FAILED, Tally(success=1), "error"),
        (ENDED, Tally(), "success"),
        (ENDED, Tally(success=3, duplicate=2), "success"),
        (ENDED, Tally(success=3, pending=1), "in progress"),
        (ENDED, Tally(error=1, pending=1), "in progress"),
        (ENDED, Tally(success=3, error=1), "partial"),
        (ENDED, Tally(error=1), "partial"),
    ],
)
def test_the_status_is_told_by_the_page_and_its_images(page: dict[str, object], images: Tally, status: str) -> None:
    state = PageState(page, images)
    assert state.status.value == status
    assert state.is_complete is (status in ("success", "partial", "error"))


def test_the_page_itself_is_no_image() -> None:
    counted = Tally(success=3, pending=1)
    assert without_page(counted, ENDED) == Tally(success=2, pending=1)
    assert without_page(counted, {"outcome": "pending"}) == Tally(success=3)


def test_the_pages_own_failure_is_no_failure_of_an_image() -> None:
    same, other = Failures(Reason.HTTP_4XX, 404, 1), Failures(Reason.DNS, None, 4)
    assert without_page(Tally(error=5, failures=(same, other)), FAILED) == Tally(error=4, failures=(other,))
    two = Failures(Reason.HTTP_4XX, 404, 2)
    assert without_page(Tally(error=2, failures=(two,)), FAILED) == Tally(error=1, failures=(same,))


def test_a_page_that_ended_after_it_was_counted_makes_no_count_negative() -> None:
    assert without_page(Tally(pending=1), ENDED).success == 0
