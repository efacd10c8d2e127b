"""Downloads from the sample site: each of its behaviours ends with the reason it must."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from common.errors import ItemError, Permanent, Transient
from common.reasons import Reason
from samples.site import Site, serving
from tests.downloading import downloader, failure, image_type, in_a_hurry, names
from tests.raw_server import JPEG_START, Visit, answering, talking, whole
from tests.stopwatch import within

IMAGES = {
    "/40/30": "image/jpeg",
    "/photo/coffee/40/30.jpg": "image/jpeg",
    "/photo/coffee/40/30.png": "image/png",
    "/photo/coffee/40/30.gif": "image/gif",
    "/photo/coffee/40/30.webp": "image/webp",
    "/photo/coffee/40/30.bmp": "image/bmp",
    "/same/whatever": "image/jpeg",
    "/same/\u4f8b\u3048/\u00fc.jpg?q=\u00fc#fragment": "image/jpeg",
    "/changing/40/30": "image/jpeg",
    "/mislabelled/40/30": "image/jpeg",
    "/redirect/5/40/30": "image/jpeg",
    "/bomb": "image/png",
    "/cut/40/30": "image/jpeg",
    "/understated/40/30": "image/jpeg",
}
FAILURES = {
    "/error/404": (Permanent, Reason.HTTP_4XX, 404),
    "/forbidden": (Permanent, Reason.HTTP_4XX, 403),
    "/gone": (Permanent, Reason.HTTP_4XX, 410),
    "/5001/5001": (Permanent, Reason.HTTP_4XX, 400),
    "/broken": (Transient, Reason.HTTP_5XX, 500),
    "/busy": (Permanent, Reason.RATE_LIMITED, 429),
    "/flaky/one/1/40/30?retry_after=3": (Transient, Reason.HTTP_5XX, 503),
    "/truncated/200/150": (Transient, Reason.INCOMPLETE_BODY, None),
    "/reset/one/200/150": (Transient, Reason.INCOMPLETE_BODY, None),
    "/html": (Permanent, Reason.NOT_AN_IMAGE, None),
    "/html.jpg": (Permanent, Reason.NOT_AN_IMAGE, None),
    "/eps": (Permanent, Reason.FORMAT_NOT_ALLOWED, None),
    "/pdf": (Permanent, Reason.FORMAT_NOT_ALLOWED, None),
    "/svg": (Permanent, Reason.FORMAT_NOT_ALLOWED, None),
    "/tiff": (Permanent, Reason.FORMAT_NOT_ALLOWED, None),
    "/empty": (Permanent, Reason.EMPTY_BODY, None),
    "/nocontent": (Permanent, Reason.EMPTY_BODY, None),
    "/oversized": (Permanent, Reason.TOO_LARGE, None),
    "/endless": (Permanent, Reason.TOO_LARGE, None),
    "/gzipped/40/30": (Permanent, Reason.NOT_AN_IMAGE, None),
    "/gzip-bomb": (Permanent, Reason.NOT_AN_IMAGE, None),
    "/optout/40/30": (Permanent, Reason.OPT_OUT, None),
    "/optout/40/30?directive=noimageai": (Permanent, Reason.OPT_OUT, None),
    "/redirect/6/40/30": (Permanent, Reason.REDIRECT_LIMIT, None),
    "/loop": (Permanent, Reason.REDIRECT_LIMIT, None),
    "/no-location": (Permanent, Reason.REDIRECT_LIMIT, 302),
}
SLOW = ["/slow/60/40/30", "/drip/10/200/150", "/drip-head/0.1/40/30", "/drip-head/5/40/30"]
REFUSED_LOCATIONS = {
    "file:///etc/passwd": Reason.INVALID_URL,
    "ftp://host.example/": Reason.INVALID_URL,
    "javascript:alert(1)": Reason.INVALID_URL,
    "http://user:s3cret@host.example/": Reason.INVALID_URL,
    "http://127.0.0.1:80\\@host.example/": Reason.INVALID_URL,
    "http://169.254.169.254/latest/meta-data/": Reason.BLOCKED_ADDRESS,
    "http://[::1]/": Reason.BLOCKED_ADDRESS,
    "http://[::ffff:127.0.0.1]/": Reason.BLOCKED_ADDRESS,
    "http://2130706433/": Reason.BLOCKED_ADDRESS,
    "http://0x7f.1/": Reason.BLOCKED_ADDRESS,
    "//localhost/": Reason.BLOCKED_ADDRESS,
    "http://mongo:27017/": Reason.BLOCKED_ADDRESS,
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving("127.0.0.2", 0) as site:
        yield site


def told(error: ItemError) -> tuple[type[ItemError], Reason, int | None]:
    return type(error), error.reason, error.status


@pytest.mark.parametrize(("path", "media_type"), IMAGES.items())
def test_an_image_is_downloaded_with_the_type_of_its_bytes(site: Site, path: str, media_type: str) -> None:
    assert image_type(downloader(), site.base_url + path) == media_type


@pytest.mark.parametrize(("path", "expected"), FAILURES.items())
def test_every_failure_has_its_reason(
    site: Site, path: str, expected: tuple[type[ItemError], Reason, int | None]
) -> None:
    with within(5):
        assert told(failure(downloader(), site.base_url + path)) == expected


@pytest.mark.parametrize("path", SLOW)
def test_what_comes_too_slowly_ends_in_time(site: Site, path: str) -> None:
    with within(1 + 1):
        assert told(failure(in_a_hurry(), site.base_url + path)) == (Transient, Reason.TIMEOUT, None)


def test_a_retry_after_is_passed_on(site: Site) -> None:
    error = failure(downloader(), site.base_url + "/flaky/passed-on/1/40/30?retry_after=3")
    assert isinstance(error, Transient)
    assert error.after_seconds == 3


def test_what_was_reset_or_refused_for_a_while_is_downloaded_the_next_time(site: Site) -> None:
    fetching = downloader()
    for path in ("/reset/next-time/200/150", "/flaky/next-time/1/200/150"):
        assert isinstance(failure(fetching, site.base_url + path), Transient)
        assert fetching.download(site.base_url + path).body.endswith(b"\xff\xd9")


def test_an_opt_out_is_not_heeded_when_that_is_switched_off(site: Site) -> None:
    fetching = downloader(HONOUR_OPT_OUT="false")
    assert image_type(fetching, site.base_url + "/optout/40/30") == "image/jpeg"


def test_formats_that_are_allowed_are_downloaded(site: Site) -> None:
    allowed = ("PNG", "TIFF")
    assert image_type(downloader(), site.base_url + "/tiff", allowed) == "image/tiff"
    assert failure(downloader(), site.base_url + "/40/30", allowed).reason is Reason.FORMAT_NOT_ALLOWED


@pytest.mark.parametrize(("location", "reason"), REFUSED_LOCATIONS.items())
def test_a_redirect_is_checked_like_a_first_url(site: Site, location: str, reason: Reason) -> None:
    error = failure(downloader(), f"{site.base_url}/redirect-to?url={quote(location, safe='')}")
    assert (type(error), error.reason) == (Permanent, reason)
    assert "s3cret" not in str(error)


def test_a_redirect_to_an_international_path_is_followed(site: Site) -> None:
    location = quote("/same/\u4f8b\u3048 \u00fc.jpg", safe="")
    assert image_type(downloader(), f"{site.base_url}/redirect-to?url={location}") == "image/jpeg"
    assert "/same/%E4%BE%8B%E3%81%88%20%C3%BC.jpg" in site.memory.requests.counts()


def test_a_blocked_address_is_not_connected_to_whichever_way_it_is_named(site: Site) -> None:
    with talking(answering(whole(JPEG_START)), host="127.0.0.1") as canary:
        for host in ("127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "[::ffff:127.0.0.1]", "canary.example"):
            url = f"http://{host}:{canary.port}/x.png"
            fetching = downloader(names(canary_example=["127.0.0.1"]) if host == "canary.example" else _numbers)
            assert failure(fetching, url).reason is Reason.BLOCKED_ADDRESS
            redirect = f"{site.base_url}/redirect-to?url={quote(url, safe='')}"
            assert failure(fetching, redirect).reason is Reason.BLOCKED_ADDRESS
        assert canary.connections == 0


def test_a_host_with_one_blocked_address_is_not_connected_to_at_all() -> None:
    with talking(answering(whole(JPEG_START))) as good, talking(answering(whole(JPEG_START)), host="127.0.0.1") as bad:
        for order in (["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]):
            fetching = downloader(names(host_example=order))
            for port in (good.port, bad.port):
                assert failure(fetching, f"http://host.example:{port}/").reason is Reason.BLOCKED_ADDRESS
        assert good.connections + bad.connections == 0


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked_or_not_at_all() -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])

    def rebinding(_host: str) -> list[str]:
        return next(answers)

    with talking(answering(whole(JPEG_START))) as good:
        first, second = downloader(rebinding), downloader(rebinding)
        url = f"http://rebinding.example:{good.port}/"
        assert first.download(url).body == JPEG_START
        assert first.download(url).body == JPEG_START
        assert failure(second, url).reason is Reason.BLOCKED_ADDRESS
        assert good.connections == 1


def test_a_download_tells_where_it_came_from_in_the_end_and_what_the_server_calls_it(site: Site) -> None:
    location = quote("/same/there.jpg", safe="")
    download = downloader().download(f"{site.base_url}/redirect-to?url={location}")
    assert (download.url, download.content_type) == (f"{site.base_url}/same/there.jpg", "image/jpeg")


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with talking(answering(whole(JPEG_START)), host="127.0.0.1") as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert image_type(downloader(), site.base_url + "/40/30") == "image/jpeg"
        assert proxy.connections == 0


def test_the_request_has_what_a_server_needs_and_nothing_of_ours() -> None:
    heads: list[bytes] = []

    def script(visit: Visit) -> None:
        heads.append(visit.request())
        visit.send(whole(JPEG_START))

    with talking(script) as server:
        downloader(names(b__cher="x", host_example=["127.0.0.2"])).download(
            f"http://HOST.example:{server.port}//a/../b%20c%?q=\u00fc#fragment"
        )
    lines = heads[0].decode().split("\r\n")
    assert lines[0] == "GET //b%20c%25?q=%C3%BC HTTP/1.1"
    assert sorted(lines[1:-2]) == [
        "Accept-Encoding: identity",
        "Accept: image/*,*/*;q=0.5",
        f"Host: host.example:{server.port}",
        "User-Agent: Graymill/tests",
    ]


def _numbers(host: str) -> list[str]:
    assert host in ("2130706433", "0x7f.1", "127.1", "localhost"), "nothing else is looked up"
    return ["127.0.0.1"]
