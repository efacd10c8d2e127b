"""Pages as they are found, line by line against what is expected of them."""

import pytest

from tests.scraped_pages import NAMES, ScrapedPage, shown


@pytest.mark.parametrize("name", NAMES)
def test_the_text_equals_the_expectation_line_by_line(name: str) -> None:
    page = ScrapedPage(name)
    assert page.read().text.split("\n") == page.text.split("\n")


@pytest.mark.parametrize("name", NAMES)
def test_the_images_are_the_expected_ones_in_their_order(name: str) -> None:
    page = ScrapedPage(name)
    read = page.read()
    assert [shown(image) for image in read.images] == page.images
    assert read.images_left_out == 0
