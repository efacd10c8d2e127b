"""The forms in a real browser: by keyboard, with a dropped file, and from pages of other sites."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from common.facts import UrlSubmitted
from tests.browser_world import FLAGS
from tests.watched import watched

NAMED = "--host-resolver-rules=MAP graymill.test 127.0.0.1, MAP evil.test 127.0.0.2"
"""Names without TLS, as within a company: browsers send no Sec-Fetch-Site there."""
DROP = """async ([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name, { type: "text/plain" }));
    const form = document.querySelector("form[data-drop]");
    for (const kind of ["dragover", "drop"]) {
        form.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
    }
}"""


@pytest.fixture
def page(browser, address) -> Iterator[Page]:
    with watched(browser, address) as page:
        yield page


def urls(publisher) -> list[str]:
    return [UrlSubmitted.from_message(publication.message).item.url for publication in publisher.publications]


def test_a_list_can_be_handed_in_by_keyboard_alone(page, address, publisher):
    page.goto(address)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("https://a.example/1\nhttps://a.example/2")
    for _ in ("file", "name", "refresh", "button"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/url_tasks/*")
    assert urls(publisher) == ["https://a.example/1", "https://a.example/2"]


def test_a_dropped_file_is_handed_in(page, address, publisher):
    page.goto(address)
    page.evaluate(DROP, ["cats.txt", "https://a.example/1\n"])
    assert page.locator("input[type=file]").evaluate("input => input.files[0].name") == "cats.txt"
    page.get_by_role("button", name="Fetch the images").click()
    page.wait_for_url("**/url_tasks/*")
    assert urls(publisher) == ["https://a.example/1"]


def test_a_file_that_is_too_large_is_told_before_it_is_sent(page, address, publisher):
    page.goto(address)
    page.evaluate(DROP, ["cats.txt", "x" * 70_000])
    message = page.locator("input[type=file]").evaluate("input => input.validationMessage")
    assert message == "This file has 70,000 bytes; a form takes 65,536."
    page.get_by_role("button", name="Fetch the images").click()
    page.evaluate(DROP, ["cats.txt", "https://a.example/1\n"])
    page.get_by_role("button", name="Fetch the images").click()
    page.wait_for_url("**/url_tasks/*")
    assert urls(publisher) == ["https://a.example/1"]


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another site that posts a form to the address in its query, as soon as it is shown."""

    def do_GET(self) -> None:
        target = self.path.partition("?")[2]
        body = f'<form method="post" enctype="multipart/form-data" action="{target}"><input name="urls" value="https://a.example">'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"{body}</form><script>document.forms[0].submit()</script>".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.2", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("names", [("127.0.0.1", "127.0.0.2"), ("graymill.test", "evil.test")])
def test_a_page_of_another_site_hands_in_nothing_and_our_own_does(browser, address, elsewhere, publisher, names):
    ours, theirs = address.replace("127.0.0.1", names[0]), f"http://{names[1]}:{elsewhere}"
    knowing = browser.browser_type.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, NAMED])
    page = knowing.new_page()
    with page.expect_response(f"{ours}/forms/urls") as answer:
        page.goto(f"{theirs}/?{ours}/forms/urls")
    assert answer.value.status == 403
    expect(page.locator(".lead")).to_contain_text("This came from a page of another site")
    assert publisher.publications == []
    page.goto(ours)
    page.get_by_label("One a line").fill("https://a.example/1")
    page.get_by_role("button", name="Fetch the images").click()
    page.wait_for_url("**/url_tasks/*")
    assert urls(publisher) == ["https://a.example/1"]
    knowing.close()
