"""A real browser that shows the pages of tests/pages, from a server on a loopback address."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from tests.scraped_pages import NAMES, ScrapedPage

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class Handler(BaseHTTPRequestHandler):
    """Serves the pages, with the headers they are to have."""

    def do_GET(self) -> None:
        name = self.path.removeprefix("/").removesuffix(".html")
        if name not in NAMES:
            self.send_error(404)
            return
        page = ScrapedPage(name)
        self.send_response(200)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.2", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.2:{server.server_port}/"
        server.shutdown()
        thread.join(5)


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*FLAGS, "--disable-sync"])
        yield browser
        browser.close()


def open_page(browser: Browser, address: str, name: str, *, scale: int) -> tuple[Page, set[str]]:
    """Show a page, scroll through it, and give it with the images it asked for; no request leaves the machine."""
    asked: set[str] = set()

    def answer(route: Route, request: Request) -> None:
        if request.resource_type == "image":
            asked.add(request.url)
            route.fulfill(body=PIXEL, content_type="image/gif")
        elif request.url == f"{address}{name}.html":
            route.continue_()
        else:
            route.fulfill(body="", content_type="text/html")

    tab = browser.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=scale)
    tab.route("**/*", answer)
    tab.goto(f"{address}{name}.html", wait_until="load")
    tab.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    tab.wait_for_load_state("networkidle")
    asked.discard(tab.url)  # for `<img src="#top">` a browser asks for the page itself
    return tab, {url for url in asked if url.startswith("http")}
