"""Pages and images of sites with a robots.txt, over HTTP: what is asked for, and what is not."""

import threading
from collections.abc import Callable, Iterator

import pytest

from common.database import Database
from common.errors import Permanent, Transient
from common.facts import ItemFailed, PageSubmitted, UrlSubmitted
from common.fetching.addresses import Resolver
from common.fetching.download import Downloader
from common.fetching.robots import MOST_READ_BYTES
from common.fetching.transport import Transport
from common.fetching.wiring import open_robots
from common.ledger import Ledger
from common.reasons import Reason
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.fetcher.__main__ import wire as wire_fetcher
from services.scraper.__main__ import wire as wire_scraper
from tests.downloading import SMALL_LIMITS, failure
from tests.integration.runtime import Broker
from tests.raw_server import OK, Script, Visit, talking, whole
from tests.stopwatch import within
from tests.web_pages import Web, serving

PAGE = "<!doctype html><title>A page</title><p>Some words."
FORBIDDING = b"User-agent: *\nDisallow: /private\n"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        web.html("/page", PAGE)
        web.html("/private", PAGE)
        web.pages["/robots.txt"] = ("text/plain", FORBIDDING)
        yield web


def polite(**limits: str) -> Downloader:
    """Give a downloader that heeds robots.txt."""
    settings = Settings.from_environ({"FETCH_ALLOW_NETS": "127.0.0.2/32", **limits})
    resolver = Resolver(settings.fetch_allow_nets, timeout_seconds=1)
    transport = Transport(connections_per_host=4, user_agent="Graymill/tests")
    return Downloader(settings, resolver, transport, robots=open_robots(settings, resolver, transport))


def saying(robots: bytes, *, page: bytes = whole(b"page")) -> Script:
    """Answer for robots.txt in one way and for all else in another."""

    def script(visit: Visit) -> None:
        while request := visit.request():
            visit.send(robots if request.startswith(b"GET /robots.txt ") else page)

    return script


def test_what_is_disallowed_is_not_asked_for(web: Web) -> None:
    fetching = polite()
    for path in ("/page", "/page", "/private", "/private/more"):
        if path == "/page":
            assert fetching.download(web.base_url + path).body == PAGE.encode()
        else:
            error = failure(fetching, web.base_url + path)
            assert (type(error), error.reason) == (Permanent, Reason.ROBOTS)
    assert web.asked == ["/robots.txt", "/page", "/page"]


def test_a_redirect_to_what_is_disallowed_is_not_followed(web: Web) -> None:
    location = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s/private\r\n\r\n" % web.base_url.encode()
    with talking(saying(whole(b"User-agent: *\nAllow: /\n"), page=location)) as server:
        assert failure(polite(), server.url()).reason is Reason.ROBOTS
    assert web.asked == ["/robots.txt"]


def test_a_robots_txt_may_be_somewhere_else(web: Web) -> None:
    location = b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: %s/robots.txt\r\n\r\n" % web.base_url.encode()
    with talking(saying(location)) as server:
        assert failure(polite(), server.url("/private")).reason is Reason.ROBOTS
        assert polite().download(server.url("/page")).body == b"page"


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"403 Forbidden", b"404 Not Found", b"410 Gone"])
def test_a_site_without_one_allows_everything(status: bytes) -> None:
    with talking(saying(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as server:
        assert polite().download(server.url()).body == b"page"


def test_a_redirect_without_end_counts_as_none() -> None:
    loop = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /robots.txt\r\n\r\n"
    with talking(saying(loop)) as server:
        assert polite(MAX_REDIRECTS="0").download(server.url()).body == b"page"


@pytest.mark.parametrize(
    ("answer", "limits", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", {}, Reason.HTTP_5XX),
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", {}, Reason.RATE_LIMITED),
        (OK + b"Content-Length: 100\r\n\r\nUser-agent: *", SMALL_LIMITS, Reason.TIMEOUT),
    ],
    ids=["503", "429", "cut"],
)
def test_a_site_whose_robots_txt_cannot_be_had_is_asked_again_later(
    answer: bytes, limits: dict[str, str], reason: Reason
) -> None:
    with talking(saying(answer)) as server, within(1 + 2):
        error = failure(polite(**limits), server.url())
    assert (type(error), error.reason) == (Transient, reason)
    assert error.detail.startswith("robots.txt: ")


def test_one_that_leads_to_a_private_address_is_not_followed() -> None:
    with talking(saying(whole(b"")), host="127.0.0.1") as canary:
        location = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % canary.url().encode()
        with talking(saying(location)) as server:
            assert failure(polite(), server.url()).reason is Reason.BLOCKED_ADDRESS
        assert canary.connections == 0


@pytest.mark.parametrize("is_announced", [True, False])
def test_of_a_large_one_the_beginning_is_read(*, is_announced: bool) -> None:
    body = FORBIDDING + b"#" * MOST_READ_BYTES + b"\nDisallow: /page\n"
    head = b"Content-Length: %d" % len(body) if is_announced else b"Connection: close"

    def script(visit: Visit) -> None:
        while request := visit.request():
            if request.startswith(b"GET /robots.txt "):
                visit.send(OK + head + b"\r\n\r\n" + body)
                return
            visit.send(whole(b"page"))

    with talking(script, send_buffer_bytes=1 << 20) as server:
        fetching = polite()
        assert failure(fetching, server.url("/private")).reason is Reason.ROBOTS
        assert fetching.download(server.url("/page")).body == b"page"


def test_one_without_end_is_given_up_in_time() -> None:
    def script(visit: Visit) -> None:
        visit.request()
        visit.send(OK + b"\r\n")
        visit.drip(b"#" * 1_000, 0.1)

    with talking(script) as server, within(1 + 2):
        assert failure(polite(**SMALL_LIMITS), server.url()).reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("wire", "heeded_for", "is_heeded"),
    [
        (wire_scraper, "pages", True),
        (wire_scraper, "all", True),
        (wire_scraper, "none", False),
        (wire_fetcher, "pages", False),
        (wire_fetcher, "all", True),
        (wire_fetcher, "none", False),
    ],
)
def test_it_is_heeded_for_pages_and_by_switch_for_lists(  # noqa: PLR0917
    wire: Callable[[Settings], Worker],
    heeded_for: str,
    is_heeded: bool,
    web: Web,
    database: Database,
    topology: Topology,
    environment: dict[str, str],
) -> None:
    settings = Settings.from_environ({**environment, "FETCH_ROBOTS": heeded_for})
    broker, ledger = Broker(settings, topology), Ledger(database)
    [item] = ledger.add_items(ledger.open_task(kind="text", name=None, refresh=False), 0, [web.base_url + "/private"])
    fact = PageSubmitted(item, images=False) if wire is wire_scraper else UrlSubmitted(item)
    worker = wire(settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        broker.put([fact.to_message()])
        [told] = broker.take("aggregator", 1)
    finally:
        worker.stop()
        thread.join(15)
    is_refused = told.type == ItemFailed.NAME and ItemFailed.from_message(told).reason is Reason.ROBOTS
    assert is_refused is is_heeded
    assert web.asked == (["/robots.txt"] if is_heeded else ["/private"])
